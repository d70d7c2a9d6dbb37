import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderFrames } from '@remotion/renderer';
import { NoReactInternals } from 'remotion/no-react';
import { RendermillError } from '../../../../core/errors.ts';
import { extensionOf } from '../../../../core/output.ts';
import {
  type StillsPageProps,
  type StillsPageReport,
  stillsCompositionId,
} from '../../bundle/entry/protocol.ts';
import type { RenderSpec, StillItem, StillsSpec } from '../../contract.ts';
import { type ChildSettings, toWire, type WireStillOutcome } from '../messages.ts';
import type { JobTools } from './begin-job.ts';
import { moveFile } from './move-file.ts';
import { PageFailure } from './page-failure.ts';
import { planRender, type ResolvedComposition, type StillPlan } from './plan-render.ts';
import { commonOptions, onDownload } from './remotion-options.ts';

interface StillsCall {
  readonly spec: StillsSpec;
  readonly settings: ChildSettings;
  readonly tools: JobTools;
  readonly onOutcome: (outcome: WireStillOutcome) => void;
  readonly onAlive: () => void;
}

const pageProps = ({ compositionId, width, height, items }: StillsSpec): StillsPageProps => ({
  compositionId,
  width,
  height,
  items: items.map(({ inputProps, frame }) => ({
    frame,
    serializedInputProps: NoReactInternals.serializeJSONWithSpecialTypes({
      data: { ...inputProps },
      indent: undefined,
      staticBase: null,
    }).serializedString,
  })),
});

/** Not selected: nothing of it depends on the project. */
const stillsComposition = (spec: StillsSpec) => ({
  id: stillsCompositionId,
  width: spec.width,
  height: spec.height,
  fps: 30,
  durationInFrames: spec.items.length,
  props: { ...pageProps(spec) },
  defaultProps: {},
  defaultCodec: null,
  defaultOutName: null,
  defaultVideoImageFormat: null,
  defaultPixelFormat: null,
  defaultProResProfile: null,
  defaultSampleRate: null,
});

/** As the item's own render would be planned; throws what that would throw. */
const planItem = (spec: StillsSpec, item: StillItem, durationInFrames: number): StillPlan => {
  const { items: _items, maxStillMs, format, ...shared } = spec;
  const alone: RenderSpec = {
    ...shared,
    inputProps: {},
    output: { kind: 'still', format, frame: item.frame },
    limits: { maxDurationSeconds: null, maxRenderMs: maxStillMs },
    outputPath: item.outputPath,
  };
  const composition: ResolvedComposition = {
    width: spec.width,
    height: spec.height,
    fps: 30,
    durationInFrames,
  };
  return planRender(alone, composition) as StillPlan;
};

const itemAt = ({ items }: StillsSpec, index: number): StillItem => {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index}.`);
  return item;
};

/** Any frame does: whatever the item's own is, the page has checked it. */
const anyDuration = (frame: number): number => (frame < 0 ? -frame : frame + 1);

interface Taken {
  readonly index: number;
  readonly buffer: Buffer | null;
  readonly report: StillsPageReport | null;
  readonly renderTimeMs: number;
}

const writePicture = async (spec: StillsSpec, taken: Taken): Promise<WireStillOutcome> => {
  const { index, buffer } = taken;
  if (buffer === null) return { index, type: 'unsure', reason: 'no picture was taken' };
  const item = itemAt(spec, index);
  const { pixels } = planItem(spec, item, anyDuration(item.frame));
  const file = join(tmpdir(), `still-${index}.${extensionOf(spec.format)}`);
  await writeFile(file, buffer);
  await moveFile(file, item.outputPath);
  const result = {
    ...pixels,
    durationSeconds: null,
    renderTimeMs: Math.round(taken.renderTimeMs),
    cost: null,
  };
  return { index, type: 'rendered', result };
};

const failureOf = (
  spec: StillsSpec,
  report: StillsPageReport & { type: 'failed' | 'frame-out-of-range' },
) => {
  if (report.type === 'failed') return new PageFailure(report.error);
  try {
    planItem(spec, itemAt(spec, report.index), report.durationInFrames);
    return new Error(`The page found no frame ${itemAt(spec, report.index).frame}.`);
  } catch (error) {
    return error;
  }
};

/** A blank picture is taken of a failed item as well: what the page says of it decides. */
const settle = async ({ spec, tools }: StillsCall, taken: Taken): Promise<WireStillOutcome> => {
  const { index, report } = taken;
  if (report?.index !== index) return { index, type: 'unsure', reason: 'the page showed another picture' };
  if (report.type === 'unsure') {
    tools.forgetEvidence();
    return { index, type: 'unsure', reason: report.reason };
  }
  const failed = async (error: unknown): Promise<WireStillOutcome> => ({
    index,
    type: 'failed',
    error: toWire(await tools.classify(error)),
  });
  if (report.type !== 'shown') return failed(failureOf(spec, report));
  tools.forgetEvidence();
  return writePicture(spec, taken).catch(failed);
};

/**
 * Remotion answers the death of a page with a browser of its own making, in which nobody's storage is apart; this one cannot be made,
 * so the call is rejected instead.
 */
/** Ours have a few kilobytes; a project's artifact that is called like one may have any length. */
const maxReportLength = 64 * 1024;

const noOtherBrowser = '/nowhere/another-browser';

/**
 * One page for all items: frame i of our own composition is item i. Resolves when each item has had its outcome; rejects when the page
 * or the browser gave up, when those before it have had theirs.
 */
export const renderStills = async (call: StillsCall): Promise<void> => {
  const { spec, settings, tools, onOutcome, onAlive } = call;
  const first = itemAt(spec, 0);
  const { jpegQuality } = planItem(spec, { ...first, frame: 0 }, 1);
  const hooks = {
    cancelSignal: tools.cancelSignal,
    checkMediaSource: tools.session.guard.checkMediaSource,
    onFailedUrl: tools.onFailedUrl,
    onAlive,
  };
  let buffer: Buffer | null = null;
  let report: StillsPageReport | null = null;
  const settling: Promise<void>[] = [];
  try {
    await renderFrames({
      // What modules ask for when they are loaded has one answer in a page: the first item's.
      ...commonOptions(tools.session, { ...spec, inputProps: first.inputProps }, settings, hooks),
      browserExecutable: noOtherBrowser,
      composition: stillsComposition(spec),
      scale: spec.scale ?? 1,
      // Its types leave out webp, which it passes on to the browser like the others.
      imageFormat: spec.format as 'png',
      ...(jpegQuality === null ? {} : { jpegQuality }),
      outputDir: null,
      concurrency: 1,
      muted: true,
      cancelSignal: hooks.cancelSignal,
      onDownload: (source) => onDownload(source, hooks),
      onStart: () => undefined,
      // Remotion calls the three in this order for each frame, and none of them for a frame that it gives up.
      onFrameBuffer: (taken) => {
        buffer = taken;
      },
      onArtifact: ({ content }) => {
        const text = String(content);
        report = text.length > maxReportLength ? null : (JSON.parse(text) as StillsPageReport);
      },
      onFrameUpdate: (_, index, renderTimeMs) => {
        settling.push(settle(call, { index, buffer, report, renderTimeMs }).then(onOutcome));
        buffer = null;
        report = null;
      },
    });
  } catch (error) {
    throw String(error).includes(noOtherBrowser)
      ? new RendermillError('browser_lost', { cause: error })
      : error;
  } finally {
    await Promise.all(settling);
  }
};
