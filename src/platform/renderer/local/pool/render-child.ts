import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RendermillError } from '../../../../core/errors.ts';
import type { Logger } from '../../../log/log.ts';
import type {
  ChunkResult,
  ChunkSpec,
  JoinSpec,
  RenderProgress,
  RenderResult,
  RenderSpec,
  StillsSpec,
} from '../../contract.ts';
import type { ChildSettings, JobMessage, VideoMeasure, WireStillOutcome } from '../messages.ts';
import { hasProcessTable } from '../processes/process-table.ts';
import { reap } from '../processes/reap.ts';
import { type Observation, watchTree } from '../processes/watched-tree.ts';
import { type Answers, ask, hasExited, keepOutput, onceExited, onceReady, tell } from './dialogue.ts';
import { forkChild } from './fork-child.ts';

/** Null: alive, though nothing that progress shows. */
export type OnProgress = (progress: RenderProgress | null) => void;

export interface RenderRequest<Spec> {
  readonly spec: Spec;
  readonly settings: ChildSettings;
  readonly onProgress: OnProgress;
}

export interface StillsRequest {
  readonly spec: StillsSpec;
  readonly settings: ChildSettings;
  readonly onOutcome: (outcome: WireStillOutcome) => void;
  readonly onAlive: () => void;
}

/** The worker's handle of one render child and of everything that the child starts. */
export interface RenderChild {
  /** Renders that were begun; of stills in one page, so many count as one. */
  readonly renders: number;
  /** One at a time, of this and the next four. */
  render(request: RenderRequest<RenderSpec>): Promise<RenderResult>;
  measureVideo(request: RenderRequest<Omit<RenderSpec, 'outputPath'>>): Promise<VideoMeasure>;
  renderChunk(request: RenderRequest<ChunkSpec>): Promise<ChunkResult>;
  joinChunks(request: Omit<RenderRequest<JoinSpec>, 'settings'>): Promise<RenderResult>;
  /** Rejects when the rest of the items has no outcome to come. */
  renderStills(request: StillsRequest): Promise<void>;
  /** Asks the running render to end by itself. */
  cancel(): void;
  observe(): Promise<Observation>;
  /** Whether another render may be given to it. */
  isHealthy(): Promise<boolean>;
  /**
   * Returns when every process is gone and the temporary folder is removed. `politely` lets an idle child close its browser first.
   */
  retire(manner: 'politely' | 'at once'): Promise<void>;
}

/** A browser grows with the pages that it opens (two for one render), not with the pictures that a page shows: 1,000 left it as it was. */
const picturesPerRender = 25;

/** Closing a browser takes about 100 ms. */
const politeMs = 1_500;

const removeFolder = async (directory: string, log: Logger): Promise<void> => {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    log.warn({ err: error, directory }, 'a temporary folder could not be removed');
  }
};

/** Forks a child that loads Remotion and then waits, without a browser, in a private temporary folder. */
export const startRenderChild = async (workDirectory: string, log: Logger): Promise<RenderChild> => {
  const directory = await mkdtemp(join(workDirectory, 'child-'));
  const child = forkChild(directory);
  const exited = onceExited(child);
  const ready = onceReady(child);
  const lastWords = keepOutput(child);
  const { pid } = child;
  if (pid === undefined) {
    await removeFolder(directory, log);
    throw new RendermillError('render_crashed', { message: 'The render process could not be started.' });
  }
  const tree = watchTree(pid);
  let renders = 0;
  let retirement: Promise<void> | null = null;

  const end = async (manner: 'politely' | 'at once'): Promise<void> => {
    await tree.observe();
    // Where there is no process table only the child itself can reach its browser.
    if (manner === 'politely' || !hasProcessTable) {
      tell(child, { type: 'close' });
      await Promise.race([exited, sleep(politeMs)]);
    }
    await reap({ childPid: pid, directory, seen: tree.seen });
    await exited;
    await removeFolder(directory, log);
    log.debug({ childPid: pid, renders, manner }, 'render child retired');
  };

  const perform = async <T>(message: JobMessage, answerIn: Answers<T>): Promise<T> => {
    await ready;
    const answer = await ask(child, message, { answerIn, lastWords });
    // A quick still may be over before the watchdog looked: later, the dead browser of an idle child must be recognised.
    await tree.observe();
    return answer;
  };

  const performOne = <T>(message: JobMessage, onProgress: OnProgress, answerIn: Answers<T>): Promise<T> => {
    renders++;
    return perform(message, (news) => {
      if (news.type === 'progress') onProgress(news.progress);
      if (news.type === 'alive') onProgress(null);
      return answerIn(news);
    });
  };

  return {
    get renders() {
      return renders;
    },
    render: ({ spec, settings, onProgress }) =>
      performOne({ type: 'render', spec, settings }, onProgress, (news) =>
        news.type === 'done' ? { answer: news.result } : undefined,
      ),
    measureVideo: ({ spec, settings, onProgress }) =>
      performOne({ type: 'measure-video', spec, settings }, onProgress, (news) =>
        news.type === 'measured' ? { answer: news.video } : undefined,
      ),
    renderChunk: ({ spec, settings, onProgress }) =>
      performOne({ type: 'render-chunk', spec, settings }, onProgress, (news) =>
        news.type === 'chunk-done' ? { answer: news.result } : undefined,
      ),
    joinChunks: ({ spec, onProgress }) =>
      performOne({ type: 'join-chunks', spec }, onProgress, (news) =>
        news.type === 'done' ? { answer: news.result } : undefined,
      ),
    renderStills: ({ spec, settings, onOutcome, onAlive }) => {
      renders += Math.ceil(spec.items.length / picturesPerRender);
      return perform<void>({ type: 'render-stills', spec, settings }, (news) => {
        if (news.type === 'still') onOutcome(news.outcome);
        if (news.type === 'alive') onAlive();
        return news.type === 'stills-done' ? { answer: undefined } : undefined;
      });
    },
    cancel: () => tell(child, { type: 'cancel' }),
    observe: tree.observe,
    isHealthy: async () => !hasExited(child) && child.connected && !(await tree.hasLostBrowser()),
    retire: (manner) => {
      retirement ??= end(manner);
      return retirement;
    },
  };
};
