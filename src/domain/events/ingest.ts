/** Events from elsewhere on their way into the log: each is judged by itself, and what is taken is written by one statement. */
import { setImmediate } from 'node:timers/promises';
import type { ErrorCode } from '../../core/errors.ts';
import { resolveEventName } from '../../core/events/catalog.ts';
import {
  type EventInput,
  isPlainObject,
  type ReadEvent,
  readEventInput,
} from '../../core/events/event-input.ts';
import { isUuid } from '../../core/ids.ts';
import { cutText, storableText } from '../../core/storable-text.ts';
import type { Database, Reader } from '../../platform/db/client.ts';
import { appendEvents } from './append-events.ts';
import { readDefinitions } from './event-definitions.ts';
import {
  type EventMark,
  type JudgeKnowledge,
  type Judgement,
  judgeEvent,
  type Sender,
} from './judge-event.ts';
import type { OwnDefinition } from './own-definition.ts';
import { createOwnJudge } from './own-schema.ts';

/** Other requests are served in between. */
const judgeSliceMs = 25;

export interface EventVerdict {
  readonly index: number;
  /** Null: a refused event that had none, or none that is a UUID. */
  readonly id: string | null;
  /** The canonical name; of a refused event what it said, null where that is no text. */
  readonly event: string | null;
  readonly verdict: 'accepted' | 'duplicate' | 'refused';
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly marks?: readonly EventMark[];
}

/** Their schemas are not asked for where the name is ours. */
const readOwn = async (
  db: Reader,
  organizationId: string,
  inputs: readonly EventInput[],
): Promise<JudgeKnowledge['own']> => {
  const foreign = inputs.filter(({ name }) => resolveEventName(name) === undefined);
  const found = await readDefinitions(db, organizationId, {
    names: [...new Set(foreign.map(({ name }) => name))],
    versions: [...new Set(foreign.flatMap(({ schema_version }) => schema_version ?? []))],
  });
  const own = new Map<string, OwnDefinition[]>();
  for (const one of found) own.set(one.name, [...(own.get(one.name) ?? []), one]);
  return own;
};

const judgeAll = async (
  read: readonly ReadEvent[],
  knowledge: JudgeKnowledge,
): Promise<readonly Judgement[]> => {
  const judgements: Judgement[] = [];
  let sliceStartedAt = performance.now();
  for (const one of read) {
    judgements.push(one.type === 'read' ? judgeEvent(one.input, knowledge) : one);
    if (performance.now() - sliceStartedAt < judgeSliceMs) continue;
    await setImmediate();
    sliceStartedAt = performance.now();
  }
  return judgements;
};

/** What a refused event said that it is, in a form that can be sent back. */
const saidOf = (given: unknown): Pick<EventVerdict, 'id' | 'event'> => {
  const { id, event, eventName } = isPlainObject(given) ? given : {};
  const name = event ?? eventName;
  return {
    id: typeof id === 'string' && isUuid(id.trim()) ? id.trim().toLowerCase() : null,
    event: typeof name === 'string' ? cutText(storableText(name), 100) : null,
  };
};

/**
 * One verdict per event, in their order. A refused one takes no other with it; those that are taken are written in one
 * transaction, in their order, each id once: within the request, among requests at the same time, and for 30 days.
 */
export const ingestEvents = async (
  db: Database,
  sender: Sender,
  given: readonly unknown[],
  now: Date,
): Promise<readonly EventVerdict[]> => {
  const read = given.map(readEventInput);
  const inputs = read.flatMap((one) => (one.type === 'read' ? [one.input] : []));
  const own = await readOwn(db, sender.organizationId, inputs);
  const judgements = await judgeAll(read, { sender, now, own, judgeOwn: createOwnJudge() });
  const rows = judgements.flatMap((one) => (one.type === 'row' ? [one.row] : []));
  const written = await db.transaction().execute((tx) => appendEvents(tx, rows));
  let row = -1;
  return judgements.map((one, index) => {
    if (one.type === 'refused') {
      return { index, ...saidOf(given[index]), verdict: 'refused', code: one.code, message: one.message };
    }
    row += 1;
    return {
      index,
      id: one.row.id,
      event: one.row.event_name,
      verdict: written.has(row) ? 'accepted' : 'duplicate',
      ...(one.marks.length === 0 ? {} : { marks: one.marks }),
      ...(one.note === undefined ? {} : { message: one.note }),
    };
  });
};
