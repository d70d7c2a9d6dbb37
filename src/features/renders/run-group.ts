/**
 * Renders a group: stills of one composition in one size, together in one page where that is known to make the same pictures.
 *
 * What is not known yet is found out: of the first few of an unknown template one, not the first, is rendered in a page of its own
 * as well, and nothing is published before the two are compared. Where they differ (the composition keeps state outside of its
 * components, or is not deterministic) this template is rendered one by one from then on.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RendermillError } from '../../core/errors.ts';
import { extensionOf, type StillFormat } from '../../core/output.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import {
  type CheckedTemplate,
  findStillCheck,
  recordStillCheck,
} from '../../domain/compositions/still-check.ts';
import { forgetContent } from '../../domain/exports/forget-content.ts';
import type { Started } from '../../domain/exports/start-export.ts';
import type { RenderResult, StillsSpec } from '../../platform/renderer/contract.ts';
import { findBundle } from './find-bundle.ts';
import type { GroupHold } from './hold-group.ts';
import type { Published, Publisher } from './publish-stills.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { toRenderSpec } from './render-spec.ts';

interface GroupScene {
  readonly deps: RunRenderDeps;
  readonly composition: Composition;
  readonly bundlePath: string;
  readonly hold: GroupHold;
  readonly publish: (one: Published) => void;
}

interface Picture extends Started {
  readonly path: string;
}

/** Enough to show what one picture leaves behind for the next, few enough not to hold up the first files. */
const firstLook = 5;

/** Resolves when every picture has been handed to the publisher; rejects when the hold ends before. */
export const runGroup = async (
  deps: RunRenderDeps,
  started: readonly Started[],
  hold: GroupHold,
  publisher: Publisher,
): Promise<void> => {
  const [first] = started;
  if (!first) return;
  await mkdir(deps.outputDirectory, { recursive: true });
  const pictures = started.map((one) => ({ ...one, path: outputPathOf(deps, one) }));
  let published = 0;
  const publish = (one: Published): void => {
    published += 1;
    publisher.add(one);
    if (published === Math.ceil(started.length / 2)) deps.checkpoint?.('group_half_rendered');
  };
  try {
    const scene = { deps, ...(await findBundle(deps, first.export)), hold, publish };
    await renderAll(scene, pictures);
  } finally {
    await publisher.finish();
    await Promise.all(pictures.map(({ path }) => rm(path, { force: true })));
  }
};

const outputPathOf = (deps: RunRenderDeps, { export: row, fence }: Started): string =>
  join(deps.outputDirectory, `${row.id}-${fence.epoch}-${fence.attempt}.${extensionOf(row.format)}`);

const renderAll = async (scene: GroupScene, pictures: readonly Picture[]): Promise<void> => {
  const template = templateOf(scene);
  const known = await findStillCheck(scene.deps.db, template);
  if (known === true) return together(scene, pictures, scene.publish);
  if (known === false || pictures.length === 1) return oneByOne(scene, pictures);
  return lookAndRender(scene, template, pictures);
};

/** A few at a time, until two pictures could be compared: nothing of an unknown template is rendered together unseen. */
const lookAndRender = async (
  scene: GroupScene,
  template: CheckedTemplate,
  pictures: readonly Picture[],
): Promise<void> => {
  const verdict = await lookAt(scene, template, pictures.slice(0, firstLook));
  const rest = pictures.slice(firstLook);
  if (rest.length === 0) return;
  if (verdict === 'nothing to compare' && rest.length > 1) return lookAndRender(scene, template, rest);
  await (verdict === 'the same' ? together(scene, rest, scene.publish) : oneByOne(scene, rest));
};

const templateOf = ({ deps, composition }: GroupScene): CheckedTemplate => ({
  organizationId: composition.organization_id,
  version: composition.version,
  compositionId: composition.id,
  rendererVersion: deps.renderer.version,
});

type Verdict = 'the same' | 'different' | 'nothing to compare';

/** Publishes these pictures, rendered in the way that it found to be right. */
const lookAt = async (
  scene: GroupScene,
  template: CheckedTemplate,
  pictures: readonly Picture[],
): Promise<Verdict> => {
  const seen: Published[] = [];
  await together(scene, pictures, (one) => seen.push(one));
  const judged = seen.findLast((one) => 'result' in one && one.path !== pictures[0]?.path);
  const picture = pictures.find(({ path }) => path === judged?.path);
  // All but the first of the page failed, and the first is what it would be alone.
  if (!picture) {
    for (const one of seen) scene.publish(one);
    return 'nothing to compare';
  }
  const alone = `${picture.path}.alone.${extensionOf(picture.export.format)}`;
  try {
    await renderAlone(scene, { ...picture, path: alone });
    const isSame = (await hashOf(alone)) === (await hashOf(picture.path));
    await recordStillCheck(scene.deps.db, template, isSame, scene.deps.clock.now());
    if (isSame) for (const one of seen) scene.publish(one);
    else await changeWay(scene, template, pictures);
    return isSame ? 'the same' : 'different';
  } finally {
    await rm(alone, { force: true });
  }
};

const changeWay = async (
  scene: GroupScene,
  template: CheckedTemplate,
  pictures: readonly Picture[],
): Promise<void> => {
  const { deps } = scene;
  await deps.db.transaction().execute((tx) => forgetContent(tx, template));
  deps.log.warn(
    { ...template },
    'pictures of this composition differ when they are rendered in one page (state outside of components, or no determinism): from now on each is rendered alone, which takes several times as long',
  );
  await oneByOne(scene, pictures);
};

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

const together = async (
  scene: GroupScene,
  pictures: readonly Picture[],
  publish: (one: Published) => void,
): Promise<void> => {
  const [first] = pictures;
  if (!first) return;
  await scene.deps.renderer.renderStills(toStillsSpec(scene, first, pictures), {
    signal: scene.hold.signal,
    onOutcome: (outcome) => {
      const picture = pictures[outcome.index];
      if (!picture) return;
      const cell = { cell: picture, path: picture.path };
      publish(
        outcome.type === 'rendered' ? { ...cell, result: outcome.result } : { ...cell, error: outcome.error },
      );
    },
  });
};

const toStillsSpec = (scene: GroupScene, first: Picture, pictures: readonly Picture[]): StillsSpec => {
  const { scale, quality, width = 0, height = 0 } = first.export.request;
  return {
    organizationId: first.export.organization_id,
    bundlePath: scene.bundlePath,
    bundleVersion: first.export.version,
    compositionId: first.export.composition_id,
    format: first.export.format as StillFormat,
    width,
    height,
    ...(scale === undefined ? {} : { scale }),
    ...(quality === undefined ? {} : { quality }),
    maxStillMs: scene.deps.timeLimits.stillMs,
    items: pictures.map((picture) => {
      const { inputProps, output } = specOf(scene, picture);
      return {
        inputProps,
        frame: output.kind === 'still' ? output.frame : 0,
        outputPath: picture.path,
      };
    }),
  };
};

const specOf = (scene: GroupScene, { export: row, path }: Picture) =>
  toRenderSpec(
    row,
    scene.composition,
    { bundlePath: scene.bundlePath, outputPath: path },
    scene.deps.timeLimits,
  );

const renderAlone = (scene: GroupScene, picture: Picture): Promise<RenderResult> =>
  scene.deps.renderer.render(specOf(scene, picture), { signal: scene.hold.signal });

const oneByOne = async (scene: GroupScene, pictures: readonly Picture[]): Promise<void> => {
  for (const picture of pictures) {
    const cell = { cell: picture, path: picture.path };
    try {
      scene.publish({ ...cell, result: await renderAlone(scene, picture) });
    } catch (error) {
      if (isEnd(error)) throw error;
      scene.publish({ ...cell, error: toKnown(error) });
    }
  }
};

const isEnd = (error: unknown): boolean =>
  error instanceof RendermillError && (error.code === 'render_canceled' || error.code === 'shutting_down');

const toKnown = (error: unknown): RendermillError =>
  error instanceof RendermillError ? error : new RendermillError('render_failed', { cause: error });
