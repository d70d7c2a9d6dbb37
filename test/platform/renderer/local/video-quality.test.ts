import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@remotion/bundler';
import { renderMedia, selectComposition } from '@remotion/renderer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLocalRenderer } from '../../../../src/platform/renderer/local/local-renderer.ts';
import { frameSimilarities, hasFfmpeg } from './decoded.ts';
import { probe } from './probe.ts';
import { browserExecutable, log } from './support.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const size = { width: 640, height: 360 };
const frameRange = [0, 59] as const;

let directory: string;
let byRemotion: string;
let byUs: string;

const renderByRemotion = async (serveUrl: string): Promise<string> => {
  const outputLocation = join(directory, 'remotion.mp4');
  const common = { serveUrl, browserExecutable, logLevel: 'error' } as const;
  const composition = { ...(await selectComposition({ ...common, id: 'clip' })), ...size };
  await renderMedia({ ...common, composition, codec: 'h264', frameRange: [...frameRange], outputLocation });
  return outputLocation;
};

const renderByUs = async (bundlePath: string): Promise<string> => {
  const outputPath = join(directory, 'ours.mp4');
  const workDirectory = join(directory, 'work');
  const renderer = await createLocalRenderer({
    workDirectory,
    slots: 1,
    browserExecutable,
    allowedHosts: [],
    log,
  });
  try {
    await renderer.render({
      organizationId: 'organization-a',
      bundlePath,

      bundleVersion: 'abc123',
      compositionId: 'clip',
      inputProps: {},
      output: { kind: 'video', format: 'mp4', frameRange },
      ...size,
      limits: { maxDurationSeconds: null, maxRenderMs: 120_000 },
      outputPath,
    });
  } finally {
    await renderer.close();
  }
  return outputPath;
};

describe.skipIf(!hasFfmpeg)(
  'two seconds of video beside what Remotion makes by default (needs ffmpeg)',
  () => {
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'rendermill-quality-'));
      // Remotion leaves what it downloads there.
      vi.stubEnv('TMPDIR', directory);
      const bundlePath = await bundle({
        entryPoint: join(root, 'scripts/bench/video/composition/index.ts'),
        publicDir: join(root, 'remotion/public'),
        outDir: join(directory, 'bundle'),
        rspack: true,
        enableCaching: false,
      });
      byRemotion = await renderByRemotion(bundlePath);
      byUs = await renderByUs(bundlePath);
    }, 180_000);

    afterAll(async () => {
      vi.unstubAllEnvs();
      await rm(directory, { recursive: true, force: true });
    });

    it('look the same, frame by frame', async () => {
      const similarities = await frameSimilarities(byRemotion, byUs, 30);
      expect(similarities).toHaveLength(60);
      expect(similarities.reduce((sum, one) => sum + one, 0) / 60).toBeGreaterThanOrEqual(0.99);
      expect(Math.min(...similarities)).toBeGreaterThanOrEqual(0.98);
    });

    it('are no larger than by a twentieth', async () => {
      const [remotion, ours] = await Promise.all([stat(byRemotion), stat(byUs)]);
      expect(ours.size / remotion.size).toBeLessThanOrEqual(1.05);
    });

    it('have the same streams', async () => {
      expect(await probe(byUs)).toEqual(await probe(byRemotion));
    });
  },
);
