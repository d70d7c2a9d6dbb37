/** Ids are made in code, so that a row, its events and its job can name each other before anything is written. */

/**
 * A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits. Rows that are made together lie together in
 * an index; nothing may derive an order of events from it.
 */
export const newId = (now: Date = new Date()): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  const milliseconds = now.getTime();
  view.setUint32(0, Math.floor(milliseconds / 2 ** 16));
  view.setUint16(4, milliseconds % 2 ** 16);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Any version: the event log takes every UUID as an id. */
export const isUuid = (value: string): boolean => uuidPattern.test(value);
