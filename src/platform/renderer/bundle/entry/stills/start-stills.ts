import { continueRender, delayRender } from 'remotion';
import {
  reportFileName,
  type StillsPageError,
  type StillsPageProps,
  type StillsPageReport,
} from '../protocol.ts';
import { releaseHandles } from './handles.ts';
import { describeThrown, interceptErrors } from './page-errors.ts';
import { rememberPortalHome } from './portal.ts';
import { clearPage, showItem } from './show-item.ts';

/** Taken before the project's modules run: what a picture replaces later does not speak for the others. */
const { stringify } = JSON;
const { defineProperty } = Object;

/** One item's time on the page. */
interface Turn {
  readonly index: number;
  /** Nothing that an earlier item left can disturb it. */
  readonly isFirst: boolean;
  /** Null: not there yet. */
  report: StillsPageReport | null;
  /** Aborted when the item has failed. */
  readonly abort: AbortController;
  deadline: number | undefined;
  releasing: number | undefined;
}

/** Ours has no deadline of Remotion's: the turn has one. */
const neverMs = 2_000_000_000;

/**
 * Remotion's renderer waits 3 seconds longer for a page than a composition may wait with one delayRender(), and ends the whole call
 * then. Several delays in a row may take longer and still be permitted, but not here.
 */
const beyondDelayMs = 1_000;

const releaseEveryMs = 50;

const hold = (): number =>
  delayRender('Rendermill changes the picture on the page', { timeoutInMilliseconds: neverMs });

const onceAborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));

/** Takes a failed item off the page. What it still had running may ask for more delay, which nobody would end. */
const takeAway = async (turn: Turn): Promise<void> => {
  window.clearTimeout(turn.deadline);
  const handle = hold();
  await clearPage(handle);
  continueRender(handle);
  turn.releasing = window.setInterval(() => releaseHandles([]), releaseEveryMs);
};

/** The first failure counts. */
const fail = (turn: Turn | null, report: StillsPageReport): void => {
  if (turn === null || turn.abort.signal.aborted) return;
  turn.report = report;
  turn.abort.abort();
  void takeAway(turn);
};

const failWith = (turn: Turn | null, error: StillsPageError | null): void => {
  if (turn === null) return;
  const { index } = turn;
  const reason = 'something else than an Error was thrown';
  fail(turn, error === null ? { type: 'unsure', index, reason } : { type: 'failed', index, error });
};

const interceptErrorsOf = (current: () => Turn | null): void =>
  interceptErrors({
    onCanceled: (error) => failWith(current(), error),
    onStray: (error) => {
      const turn = current();
      if (turn === null || turn.isFirst) return failWith(turn, error);
      fail(turn, { type: 'unsure', index: turn.index, reason: error?.message ?? 'a stray error' });
    },
  });

const runTurn = async (stills: StillsPageProps, turn: Turn): Promise<void> => {
  const { index } = turn;
  const { signal } = turn.abort;
  const item = stills.items[index];
  if (item === undefined) throw new Error(`There is no picture ${index}.`);
  const shown = await Promise.race([
    showItem(stills, item, { signal, onThrown: (thrown) => failWith(turn, describeThrown(thrown)) }),
    onceAborted(signal),
  ]);
  if (shown === null || signal.aborted) return;
  if (shown.type === 'shown') turn.report = { type: 'shown', index };
  else fail(turn, { ...shown, index });
};

/** Replaces a function that the renderer calls, for good. */
const takeOver = (name: 'remotion_setFrame' | 'remotion_collectAssets', value: unknown): void => {
  defineProperty(window, name, { get: () => value, set: () => undefined });
};

const artifactOf = (report: StillsPageReport) => ({
  type: 'artifact',
  contentType: 'text',
  id: reportFileName(report.index),
  filename: reportFileName(report.index),
  content: stringify(report),
  frame: report.index,
  downloadBehavior: null,
});

/** From now on, frame i is item i. Everything that happens in the page is charged to the item whose turn it is. */
export const startStills = (stills: StillsPageProps): void => {
  let turn: Turn | null = null;
  rememberPortalHome();
  interceptErrorsOf(() => turn);

  const show = async (index: number): Promise<void> => {
    // Taken at once: a picture is taken as soon as nothing holds it.
    const handle = hold();
    window.clearTimeout(turn?.deadline);
    window.clearInterval(turn?.releasing);
    const own: Turn = {
      index,
      isFirst: turn === null,
      report: null,
      abort: new AbortController(),
      deadline: undefined,
      releasing: undefined,
    };
    turn = own;
    own.deadline = window.setTimeout(
      () => fail(own, { type: 'unsure', index, reason: 'it took longer than one page may' }),
      window.remotion_puppeteerTimeout + beyondDelayMs,
    );
    try {
      await clearPage(handle);
      await runTurn(stills, own);
    } catch (thrown) {
      failWith(own, describeThrown(thrown));
    } finally {
      continueRender(handle);
    }
  };

  takeOver('remotion_setFrame', (frame: number) => {
    if (turn?.index !== frame) void show(frame);
  });
  takeOver('remotion_collectAssets', () => {
    const index = turn?.index ?? -1;
    return [artifactOf(turn?.report ?? { type: 'unsure', index, reason: 'it was not shown' })];
  });
};
