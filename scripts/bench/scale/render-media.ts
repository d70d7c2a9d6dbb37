/** One `renderMedia` in a process of its own, warm as a service that calls it would be: it renders when it is told so, and ends. */
import { once } from 'node:events';
import { join } from 'node:path';
import { renderMedia, selectComposition } from '@remotion/renderer';
import { encoderOptions } from '../../../src/platform/renderer/local/child/encoding.ts';
import { tabsPerRender } from '../../../src/platform/renderer/local/options.ts';
import { compositionId, type Workshop, warmUpFrames, warmUpId } from './job.ts';

export interface RenderMediaOrder {
  readonly workshop: Workshop;
  /** With the encoder's settings and the tabs of a worker; else nothing is said beside what must be. */
  readonly asOurs: boolean;
  readonly outputPath: string;
}

const { workshop, asOurs, outputPath }: RenderMediaOrder = JSON.parse(process.argv[2] ?? '');
const { job, bundlePath, browserExecutable, directory } = workshop;
const common = { serveUrl: bundlePath, browserExecutable, logLevel: 'error' } as const;
const settings = asOurs ? { ...encoderOptions('h264'), concurrency: tabsPerRender(1) } : {};

const render = async (id: string, frames: number, file: string): Promise<void> => {
  const selected = await selectComposition({ ...common, id });
  const composition = { ...selected, width: job.width, height: job.height };
  await renderMedia({
    ...common,
    composition,
    codec: 'h264',
    frameRange: [0, frames - 1],
    outputLocation: file,
    ...settings,
  });
};

await render(warmUpId, warmUpFrames, join(directory, 'warm-up.mp4'));
const told = once(process, 'message');
process.send?.('ready');
await told;
await render(compositionId, job.frames, outputPath);
process.send?.('done');
process.disconnect();
