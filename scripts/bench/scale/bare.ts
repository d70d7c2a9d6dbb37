/** What Remotion itself offers: its command line, and one call of `renderMedia`. */
import { join } from 'node:path';
import { measureWork } from './cpu-meter.ts';
import {
  assertWhole,
  compositionId,
  entryPoint,
  type Measured,
  publicDir,
  root,
  type Workshop,
  warmUpFrames,
} from './job.ts';
import { ended, nextMessage, pidOf, startCommand, startScript } from './processes.ts';
import type { RenderMediaOrder } from './render-media.ts';

const command = join(root, 'node_modules', '.bin', 'remotion');

const runCli = (workshop: Workshop, frames: number, file: string): Promise<Measured> => {
  const { job, browserExecutable } = workshop;
  const child = startCommand(
    command,
    ['render', entryPoint, compositionId, file, `--frames=0-${frames - 1}`, '--log=error']
      .concat([`--width=${job.width}`, `--height=${job.height}`, `--public-dir=${publicDir}`])
      .concat([`--browser-executable=${browserExecutable}`, '--chrome-mode=headless-shell']),
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return measureWork([pidOf(child)], () => ended(child, 'remotion render'));
};

/** As its documentation shows it, the bundle included, whose cache is warm; everything else as Remotion has it by default. */
export const renderByCli = async (workshop: Workshop): Promise<Measured> => {
  await runCli(workshop, warmUpFrames, join(workshop.directory, 'cli-warm-up.mp4'));
  const file = join(workshop.directory, 'cli.mp4');
  const measured = await runCli(workshop, workshop.job.frames, file);
  await assertWhole(file, workshop.job);
  return measured;
};

/** From the call to the file; the composition is selected within that, the browser opened and closed. */
export const renderByRenderMedia = async (workshop: Workshop, asOurs: boolean): Promise<Measured> => {
  const outputPath = join(workshop.directory, asOurs ? 'render-media-as-ours.mp4' : 'render-media.mp4');
  const order: RenderMediaOrder = { workshop, asOurs, outputPath };
  const child = startScript('./render-media.ts', [JSON.stringify(order)]);
  await nextMessage(child, 'renderMedia');
  const measured = await measureWork([pidOf(child)], async () => {
    const done = nextMessage(child, 'renderMedia');
    child.send('go');
    await done;
  });
  await ended(child, 'renderMedia');
  await assertWhole(outputPath, workshop.job);
  return measured;
};
