/** An event as it stands in a request: serialized once, however often it is sent. */
export interface PackedEvent {
  /** Its place in the call of `deliver`. */
  readonly index: number;
  readonly json: string;
  /** Of the JSON, in UTF-8. */
  readonly bytes: number;
}

export const packEvent = (index: number, event: unknown): PackedEvent => {
  const json = JSON.stringify(event);
  return { index, json, bytes: Buffer.byteLength(json) };
};

/** In this order, cut where the next one would make a request larger than the limit. One event may be larger alone. */
export const splitByBytes = (
  events: readonly PackedEvent[],
  maxBytes: number,
): readonly (readonly PackedEvent[])[] => {
  const requests: PackedEvent[][] = [];
  let room = 0;
  for (const event of events) {
    const last = requests.at(-1);
    if (last !== undefined && event.bytes <= room) last.push(event);
    else {
      requests.push([event]);
      room = maxBytes;
    }
    // The comma between two of them.
    room -= event.bytes + 1;
  }
  return requests;
};

export const joinEvents = (events: readonly PackedEvent[]): string =>
  `[${events.map(({ json }) => json).join(',')}]`;
