/** An event as Meta's Conversions API takes it (…/conversions-api/parameters/server-event). */
import { definitionOf, isEventName } from '../events/catalog.ts';
import type { MetaEvent, SinkMapping } from '../events/define-event.ts';
import { type MetaUserData, metaUserData, type Sha256 } from './meta-user-data.ts';
import { readFact } from './read-context.ts';
import type { SinkEvent } from './sink-event.ts';

export interface MetaServerEvent {
  readonly event_name: MetaEvent;
  /** Unix time, seconds. */
  readonly event_time: number;
  /** Our own id, which the browser's pixel sends, too: Meta counts the two as one. */
  readonly event_id: string;
  readonly action_source: 'website';
  readonly event_source_url?: string;
  readonly user_data: MetaUserData;
  readonly custom_data?: Readonly<Record<string, unknown>>;
}

/** One older event makes Meta refuse the whole request; the margin is for the way there and for clocks that differ. */
const maxAgeMs = 7 * 86_400_000 - 10 * 60_000;

export interface MetaSending {
  /** The moment of sending. */
  readonly now: Date;
  readonly sha256: Sha256;
}

/** The event, or why there is none. */
export const toMetaEvent = (
  event: SinkEvent,
  { now, sha256 }: MetaSending,
): MetaServerEvent | { readonly skipped: string } => {
  const mapping = mappingOf(event.event);
  if (mapping === undefined) return { skipped: 'the catalog does not send it to Meta' };
  if (event.consent.adsAllowed !== true) return { skipped: 'no consent for advertising' };
  if (mapping.firstOnly && event.properties.is_first_user_use !== true) {
    return { skipped: 'not the first of its person' };
  }
  if (now.getTime() - event.occurredAt.getTime() > maxAgeMs) return { skipped: 'older than seven days' };
  const userData = metaUserData(event, sha256);
  if (userData === null) return { skipped: 'nothing by which Meta could match a person' };
  const customData = customDataOf(event);
  if (mapping.event === 'Purchase' && (customData.value === undefined || customData.currency === undefined)) {
    return { skipped: 'a purchase without price and currency' };
  }
  const url = pageOf(event);
  return {
    event_name: mapping.event,
    event_time: Math.floor(Math.min(event.occurredAt.getTime(), now.getTime()) / 1_000),
    event_id: event.id,
    action_source: 'website',
    ...(url === undefined ? {} : { event_source_url: url }),
    user_data: userData,
    ...(Object.keys(customData).length === 0 ? {} : { custom_data: customData }),
  };
};

const mappingOf = (name: string): SinkMapping['meta'] =>
  isEventName(name) ? definitionOf(name).sinks?.meta : undefined;

const pageOf = (event: SinkEvent): string | undefined => {
  const url = readFact(event, 'url', 'page_url', 'event_source_url');
  return url !== undefined && /^https?:\/\/[^\s/]/i.test(url) ? url : undefined;
};

const customDataOf = (event: SinkEvent): Readonly<Record<string, unknown>> => {
  const { price } = event.properties;
  const currency = readFact(event, 'currency')?.trim().toUpperCase();
  const orderId = readFact(event, 'order_id');
  const sku = readFact(event, 'sku');
  return {
    ...(typeof price === 'number' && Number.isFinite(price) ? { value: price } : {}),
    ...(currency !== undefined && /^[A-Z]{3}$/.test(currency) ? { currency } : {}),
    ...(orderId === undefined ? {} : { order_id: orderId }),
    ...(sku === undefined ? {} : { content_ids: [sku], content_type: 'product' }),
  };
};
