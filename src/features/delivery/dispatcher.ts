/**
 * The dispatcher: projects the log, then leases shards of deliveries that are due and works on them. Woken by commits; looks around
 * from time to time in case a notification was lost. Any number may run at once, and one that is killed loses nothing.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type DueSink,
  dueSinks,
  leaseShards,
  type ShardLease,
} from '../../domain/deliveries/lease-shards.ts';
import { findLogHolder } from '../../domain/events/log-holder.ts';
import { isReadable, logEnd } from '../../domain/events/read-page.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Database } from '../../platform/db/client.ts';
import { isDatabaseUnavailable } from '../../platform/db/errors.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import { createHealthKeeper } from './keep-health.ts';
import { createPace } from './pace.ts';
import { createProjector } from './project-log.ts';
import { type OpenSink, runShard } from './run-shard.ts';
import { createShardRoom, type ShardRoom } from './shard-room.ts';
import { attemptMs, type Sink } from './sinks/sink.ts';

export interface DispatcherDeps {
  readonly db: Database;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseMs: number;
  /** Opens a sink by its id; null where this process cannot serve it. */
  readonly openSink: (sinkId: string) => Promise<Sink | null>;
  /** An organization's endpoint that has accepted nothing for so long is disabled, milliseconds; null: never. */
  readonly disableAfterMs: number | null;
  /** In [0, 1): spreads retries. */
  readonly chance?: () => number;
}

export interface Dispatcher {
  /** From now on it works whenever there is something to do. */
  start(): void;
  /**
   * Works until everything that is committed by now has been tried once, with what else is due; for a scheduler (`--once`) and
   * for tests. Not beside `start`.
   */
  drain(): Promise<void>;
  /** Takes nothing new, lets calls that run come to their end, and records what became of them. */
  stop(): Promise<void>;
}

/** Commits wake it; this is for a notification that was lost, and for retries that come due. */
const lookEveryMs = 1_000;
const sinksPerLook = 100;
/** An older transaction that is still open hides what was committed after it; `drain` waits so long for its end. */
const openTransactionsMs = 10_000;
const lookAgainMs = 10;
/** Longer than an attempt, so that a probe is over before another may begin. */
const probeMs = attemptMs + 5_000;
/** A sink that was not used for this long is closed, and opened anew with what is configured then. */
const idleMs = 60_000;

interface Runner extends OpenSink {
  /** Of its row. */
  readonly updatedAt: number;
  readonly working: Set<Promise<void>>;
  readonly room: ShardRoom;
  /** Its rounds begin nothing more. */
  readonly ending: AbortController;
  usedAt: number;
}

export const createDispatcher = (deps: DispatcherDeps): Dispatcher => {
  const { db, clock, log, chance = Math.random } = deps;
  const runners = new Map<string, Runner>();
  /** Sinks that this process cannot serve, until it looks again. */
  const closedUntil = new Map<string, number>();
  const stopping = new AbortController();
  const projector = createProjector({ db, clock, log });
  const shardDeps = { db, clock, log, leaseMs: deps.leaseMs, chance };

  const retiring = new Set<Promise<void>>();
  /** What it is sending comes to its end with the settings of its beginning; nobody waits for that. */
  const retire = (runner: Runner): void => {
    runners.delete(runner.id);
    runner.ending.abort('the sink is opened anew');
    const retired = Promise.all(runner.working)
      .then(() => runner.sink.close())
      .catch((error) => log.warn({ err: error, sink: runner.id }, 'a sink could not be closed'))
      .finally(() => retiring.delete(retired));
    retiring.add(retired);
  };

  const runnerOf = async ({ id, kind, updatedAt }: DueSink): Promise<Runner | null> => {
    const there = runners.get(id);
    if (there && there.updatedAt === updatedAt.getTime()) return there;
    if (there) retire(there);
    if ((closedUntil.get(id) ?? 0) > performance.now()) return null;
    const sink = await deps.openSink(id).catch((error: unknown) => {
      if (isDatabaseUnavailable(error)) throw error;
      log.error({ err: error, sink: id }, 'a sink could not be opened; its deliveries wait, and no others');
      return null;
    });
    if (!sink) {
      closedUntil.set(id, performance.now() + idleMs);
      return null;
    }
    const wake = () => delivering?.wake();
    const pace = createPace(sink.concurrency, sink.callsPerSecond, wake);
    const runner: Runner = {
      id,
      kind,
      updatedAt: updatedAt.getTime(),
      sink,
      pace,
      room: createShardRoom({ batchSize: sink.batchSize, waiting: pace.waiting, onRoom: wake }),
      onVerdicts: createHealthKeeper(deps, id),
      working: new Set(),
      ending: createEnding(),
      usedAt: performance.now(),
    };
    runners.set(id, runner);
    return runner;
  };

  const work = (runner: Runner, lease: ShardLease): void => {
    const { claimed, ended } = runner.room.begin();
    const job = runShard(shardDeps, runner, lease, { stopping: runner.ending.signal, onClaimed: claimed })
      .then(() => undefined)
      .catch((error) =>
        log.warn({ err: error, sink: runner.id }, 'a round of deliveries failed; it will be tried again'),
      )
      .finally(() => {
        runner.working.delete(job);
        runner.usedAt = performance.now();
        ended();
      });
    runner.working.add(job);
  };

  const serve = async (due: DueSink): Promise<number> => {
    const runner = await runnerOf(due);
    const room = runner?.room.room() ?? 0;
    if (!runner || room <= 0) return 0;
    const leases = await leaseShards(db, due, { leaseMs: deps.leaseMs, limit: room, probeMs }, clock.now());
    for (const lease of leases) work(runner, lease);
    return leases.length;
  };

  const closeIdle = async (): Promise<void> => {
    for (const runner of runners.values()) {
      if (runner.working.size === 0 && performance.now() - runner.usedAt > idleMs) retire(runner);
    }
  };

  /** Returns how many shards it has begun. */
  const look = async (): Promise<number> => {
    await closeIdle();
    let begun = 0;
    for (const due of await dueSinks(db, clock.now(), sinksPerLook)) {
      if (stopping.signal.aborted) break;
      begun += await serve(due);
    }
    return begun;
  };

  const project = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const limit = projector.limit();
      const read = await projector.next();
      if (read > 0) delivering?.wake();
      if (read < limit && read < projector.limit()) return;
    }
  };

  const onError = (what: string) => (error: unknown) =>
    log.warn({ err: error }, `${what} failed; it will be tried again`);
  let projecting: WakeableLoop | undefined;
  let delivering: WakeableLoop | undefined;
  const offs: (() => void)[] = [];
  const running = (): Promise<void>[] => [...runners.values()].flatMap((runner) => [...runner.working]);

  return {
    start: () => {
      projecting ??= startWakeableLoop({
        everyMs: lookEveryMs,
        round: project,
        onError: onError('reading the event log'),
      });
      delivering ??= startWakeableLoop({
        everyMs: lookEveryMs,
        round: async () => void (await look()),
        onError: onError('looking for deliveries'),
      });
      offs.push(deps.listener.on('rendermill_event', projecting.wake));
      offs.push(deps.listener.on('rendermill_delivery', delivering.wake));
    },
    drain: async () => {
      const end = await logEnd(db);
      const deadline = performance.now() + openTransactionsMs;
      while (!stopping.signal.aborted) {
        const readable = await isReadable(db, end);
        const read = await projector.next();
        const begun = await look();
        const jobs = [...running(), ...retiring];
        await Promise.all(jobs);
        if (read > 0 || begun > 0 || jobs.length > 0) continue;
        if (readable) return;
        if (performance.now() > deadline) {
          log.warn(
            { holder: await findLogHolder(db) },
            'a transaction has been open for long; what was committed after it began is not delivered yet',
          );
          return;
        }
        await delay(lookAgainMs);
      }
    },
    stop: async () => {
      stopping.abort('the dispatcher stops');
      for (const off of offs.splice(0)) off();
      await Promise.all([projecting?.stop(), delivering?.stop()]);
      for (const runner of runners.values()) retire(runner);
      await Promise.all(retiring);
    },
  };
};

/** Every shard at work listens. */
const createEnding = (): AbortController => {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  return ending;
};
