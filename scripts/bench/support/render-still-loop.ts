/**
 * The best that Remotion's documentation teaches for many stills: the bundle and the browser opened once and shared, then
 * selectComposition (whose metadata may depend on the props) and renderStill for each.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser, renderStill, selectComposition } from '@remotion/renderer';
import { type BenchCell, benchCompositionId, cellName } from './campaign-cells.ts';
import { type PictureSums, sumOfFile } from './picture-sums.ts';

export interface StillLoop {
  /** Resolves with milliseconds; the pictures' sums are taken outside of the time. */
  render(cells: readonly BenchCell[], atOnce: number, sums: PictureSums): Promise<number>;
  close(): Promise<void>;
}

export const openStillLoop = async (options: {
  readonly bundle: string;
  readonly browserExecutable: string;
  readonly folder: string;
}): Promise<StillLoop> => {
  const { bundle, browserExecutable, folder } = options;
  const common = { browserExecutable, chromeMode: 'headless-shell', logLevel: 'error' } as const;
  const browser = await openBrowser('chrome', common);
  const renderOne = async ({ variant, size }: BenchCell, output: string) => {
    const shared = { ...common, serveUrl: bundle, puppeteerInstance: browser, inputProps: variant.props };
    const selected = await selectComposition({ ...shared, id: benchCompositionId });
    const composition = { ...selected, width: size.width, height: size.height };
    await renderStill({ ...shared, composition, output, imageFormat: 'png' });
  };
  return {
    render: async (cells, atOnce, sums) => {
      const files = cells.map((_, index) => join(folder, `still-${index}.png`));
      const left = cells.map((cell, index) => ({ cell, file: files[index] as string }));
      const begun = performance.now();
      const lane = async () => {
        for (let next = left.shift(); next !== undefined; next = left.shift())
          await renderOne(next.cell, next.file);
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      const tookMs = performance.now() - begun;
      for (const [index, file] of files.entries()) {
        sums.set(cellName(cells[index] as BenchCell), await sumOfFile(file));
        await rm(file);
      }
      return tookMs;
    },
    close: () => browser.close({ silent: true }),
  };
};
