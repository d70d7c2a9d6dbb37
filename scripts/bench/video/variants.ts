/** What else could be said to Remotion, one thing at a time, each beside its defaults in the same run. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser } from '@remotion/renderer';
import { captureViewportOnly } from '../../../src/platform/renderer/local/child/capture-viewport.ts';
import { encoderOptions } from '../../../src/platform/renderer/local/child/encoding.ts';
import {
  type ClipSize,
  type Measured,
  type RemotionVariant,
  renderByRemotion,
  type Workshop,
} from './contenders.ts';

export interface Variant {
  readonly name: string;
  readonly options?: RemotionVariant;
  readonly chromiumOptions?: NonNullable<Parameters<typeof openBrowser>[1]>['chromiumOptions'];
  readonly flags?: readonly string[];
  readonly viewportOnly?: boolean;
}

const twoTabs = { concurrency: 2, x264Preset: 'veryfast' } as const;
const x264 = (preset: 'veryfast' | 'superfast' | 'faster'): RemotionVariant => ({ x264Preset: preset });

export const variants: readonly Variant[] = [
  { name: 'defaults, once more' },
  { name: 'two tabs', options: { concurrency: 2 } },
  { name: 'x264 faster', options: x264('faster') },
  { name: 'x264 veryfast', options: x264('veryfast') },
  { name: 'x264 superfast', options: x264('superfast') },
  { name: 'x264 as ours', options: encoderOptions('h264') },
  { name: 'viewport only', viewportOnly: true },
  { name: 'png', options: { imageFormat: 'png' } },
  { name: 'jpeg 60', options: { jpegQuality: 60 } },
  { name: 'jpeg 100', options: { jpegQuality: 100 } },
  { name: 'gl swangle', chromiumOptions: { gl: 'swangle' } },
  { name: 'one process', chromiumOptions: { enableMultiProcessOnLinux: false } },
  { name: 'encode afterwards', options: { disallowParallelEncoding: true } },
  { name: 'two tabs, veryfast', options: twoTabs },
  { name: '… and viewport only', options: twoTabs, viewportOnly: true },
  {
    name: '… and no frame limit',
    options: twoTabs,
    flags: ['--disable-frame-rate-limit', '--disable-gpu-vsync'],
  },
  {
    name: '… and one large tile',
    options: twoTabs,
    flags: ['--default-tile-width=1920', '--default-tile-height=1088'],
  },
  { name: '… and --disable-gpu', options: twoTabs, flags: ['--disable-gpu'] },
];

const quote = (text: string): string => `'${text}'`;

/** Remotion has no option for flags of the browser, but starts what it is given. */
const withFlags = async (workshop: Workshop, flags: readonly string[]): Promise<string> => {
  const path = join(workshop.directory, 'browser-with-flags');
  const command = `exec ${quote(workshop.browserExecutable)} "$@" ${flags.map(quote).join(' ')}`;
  await writeFile(path, `#!/bin/sh\n${command}\n`);
  await chmod(path, 0o755);
  return path;
};

/** The browser is open before the clock starts, which spares a variant about 0.2 s beside the defaults. */
export const renderVariant = async (
  workshop: Workshop,
  size: ClipSize,
  variant: Variant,
): Promise<Measured> => {
  const browserExecutable =
    variant.flags === undefined ? workshop.browserExecutable : await withFlags(workshop, variant.flags);
  const browser = await openBrowser('chrome', {
    browserExecutable,
    logLevel: 'error',
    ...(variant.chromiumOptions === undefined ? {} : { chromiumOptions: variant.chromiumOptions }),
  });
  if (variant.viewportOnly) captureViewportOnly(browser);
  try {
    return await renderByRemotion(workshop, size, 'variant', {
      ...variant.options,
      puppeteerInstance: browser,
    });
  } finally {
    await browser.close({ silent: true });
  }
};
