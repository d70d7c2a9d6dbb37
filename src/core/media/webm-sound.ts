/** Whether a WebM has a sound track. Source: RFC 8794 (EBML) and RFC 9559 (Matroska), the elements Segment and Tracks. */

const ids = {
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
  trackEntry: 0xae,
  trackType: 0x83,
};
const audioTrack = 2;

interface Element {
  readonly id: number;
  /** Cut where the bytes end. */
  readonly body: Uint8Array;
  readonly isWhole: boolean;
}

/** The first byte tells by its leading zeros how many follow; `keepMarker`: an id is read with them. */
const readNumber = (
  bytes: Uint8Array,
  keepMarker: boolean,
): { value: number; length: number } | undefined => {
  const first = bytes[0];
  if (first === undefined || first === 0) return undefined;
  const length = Math.clz32(first) - 23;
  if (bytes.length < length) return undefined;
  let value = keepMarker ? first : first & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (const byte of bytes.subarray(1, length)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value: isUnknown && !keepMarker ? Number.POSITIVE_INFINITY : value, length };
};

function* elementsIn(bytes: Uint8Array): Generator<Element> {
  let rest = bytes;
  for (;;) {
    const id = readNumber(rest, true);
    const size = id && readNumber(rest.subarray(id.length), false);
    if (!id || !size) return;
    const start = id.length + size.length;
    const end = start + size.value;
    yield {
      id: id.value,
      body: rest.subarray(start, Math.min(end, rest.length)),
      isWhole: end <= rest.length,
    };
    rest = rest.subarray(Math.min(end, rest.length));
  }
}

const isAudio = (trackEntry: Uint8Array): boolean => {
  for (const { id, body } of elementsIn(trackEntry))
    if (id === ids.trackType) return body.at(-1) === audioTrack;
  return false;
};

const tracksHaveSound = (tracks: Uint8Array): boolean => {
  for (const { id, body } of elementsIn(tracks)) if (id === ids.trackEntry && isAudio(body)) return true;
  return false;
};

/** Takes the first bytes of the file. Null: its tracks are not described there. */
export const webmHasSound = (head: Uint8Array): boolean | null => {
  for (const { id, body } of elementsIn(head)) {
    if (id !== ids.segment) continue;
    for (const child of elementsIn(body)) {
      if (child.id === ids.cluster) return null;
      if (child.id === ids.tracks) return child.isWhole ? tracksHaveSound(child.body) : null;
    }
  }
  return null;
};
