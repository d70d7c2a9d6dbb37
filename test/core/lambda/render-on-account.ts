/**
 * What Remotion's functions do for one render: the one that takes the order launches another, which opens the site and invokes those
 * that render. One of them refused ends the render, while the others run on to their end.
 */
import type { Account, RunningFunction } from './account.ts';
import type { EventLine } from './event-line.ts';
import type { Order } from './mixed-day.ts';

export type RenderEnd =
  | { readonly type: 'done' }
  /** AWS refused the first function: nothing was begun. */
  | { readonly type: 'refused' }
  /** AWS refused a later one: what ran until then, and what still runs, was for nothing. */
  | { readonly type: 'lost' };

export interface World {
  readonly line: EventLine;
  readonly account: Account;
  readonly chance: () => number;
}

/** Seconds of function time that this render took; complete once all of its functions have ended. */
export interface RenderCost {
  seconds: number;
}

const takeOrderSeconds = 0.25;
/** Opening a browser, loading the site, resolving the composition. */
const openSeconds = 2;
const uploadSeconds = 0.4;
const launchAgainSeconds = 1;

const joinSeconds = (functions: number, frames: number): number => 0.5 + functions * 0.01 + frames * 0.0005;

/** The watcher looks every one to two seconds. */
export const noticeSeconds = (chance: () => number): number => 0.2 + 1.5 * chance();

export const renderOnAccount = (
  world: World,
  order: Order,
  functions: number,
  onEnd: (end: RenderEnd) => void,
): RenderCost => {
  const { line, account, chance } = world;
  const cost: RenderCost = { seconds: 0 };
  const after = (seconds: number, happen: () => void): void => line.at(line.now() + seconds, happen);
  const end = (one: RunningFunction): void => {
    cost.seconds += one.end();
  };
  const work = (frames: number): number => frames * order.secondsPerFrame * (0.85 + 0.4 * chance());

  const renderChunks = (launch: RunningFunction): void => {
    const perFunction = Math.ceil(order.frames / functions);
    const chunks = Math.ceil(order.frames / perFunction);
    let left = chunks;
    let isLost = false;
    const onChunk = (): void => {
      left -= 1;
      if (left > 0 || isLost) return;
      after(joinSeconds(chunks, order.frames), () => {
        end(launch);
        onEnd({ type: 'done' });
      });
    };
    for (let index = 0; index < chunks; index += 1) {
      const chunk = account.invoke();
      if (chunk === null) {
        isLost = true;
        continue;
      }
      const frames = Math.min(perFunction, order.frames - index * perFunction);
      after(chunk.startSeconds + openSeconds + work(frames) + uploadSeconds, () => {
        end(chunk);
        onChunk();
      });
    }
    if (!isLost) return;
    end(launch);
    onEnd({ type: 'lost' });
  };

  const renderAlone = (one: RunningFunction): void =>
    after(one.startSeconds + openSeconds + work(order.frames) + joinSeconds(1, order.frames), () => {
      end(one);
      onEnd({ type: 'done' });
    });

  const launch = (): void => {
    const one = account.invoke();
    // AWS keeps an asynchronous call, and tries again.
    if (one === null) after(launchAgainSeconds, launch);
    else if (functions > 1) after(one.startSeconds + openSeconds, () => renderChunks(one));
    else renderAlone(one);
  };

  const first = account.invoke();
  if (first === null) {
    onEnd({ type: 'refused' });
    return cost;
  }
  const isStill = order.kind === 'still';
  const seconds = isStill ? openSeconds + work(1) : takeOrderSeconds;
  if (!isStill) after(first.startSeconds + takeOrderSeconds / 2, launch);
  after(first.startSeconds + seconds, () => {
    end(first);
    if (isStill) onEnd({ type: 'done' });
  });
  return cost;
};
