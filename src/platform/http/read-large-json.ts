/**
 * A JSON object of which one member is a long list, read element by element: JSON.parse of twenty megabytes would hold up every other
 * request for a second. Here it is only found where the elements begin and end; whether they are JSON says the parser of each.
 */
import { RendermillError } from '../../core/errors.ts';
import type { Pause } from '../clock/pause.ts';

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
const bytesPerLook = 256 * 1024;

export interface LargeJsonOptions {
  /** Name of the member that is the list. */
  readonly list: string;
  /** Elements at most. */
  readonly most: number;
  /** Of one element, and of all that is no element. */
  readonly mostBytes: number;
  /** Throws where the text is no JSON. */
  readonly parse: (text: string) => unknown;
  readonly pause: Pause;
}

/** Throws `invalid_json`, and `payload_too_large` where one part is larger than allowed. */
export const readLargeJson = async (bytes: Buffer, options: LargeJsonOptions): Promise<unknown> => {
  const { list, mostBytes, parse, pause } = options;
  const found = await findList(bytes, options);
  const rest =
    found === null ? bytes : Buffer.concat([bytes.subarray(0, found.start), bytes.subarray(found.end)]);
  assertSmall('What is beside the list', rest.length, options);
  const object = parse(rest.toString('utf8')) as Record<string, unknown>;
  if (found === null) return object;
  // Named once more, perhaps in other letters: the parser takes the last, and what was found is another.
  if (!isEmptyList(object[list])) throw twice(list);
  const elements: unknown[] = [];
  let from = found.start;
  for (const end of found.ends) {
    const name = `${list}.${elements.length}`;
    assertSmall(name, end - from, { mostBytes });
    elements.push(parseElement(name, bytes.toString('utf8', from, end), parse));
    from = end + 1;
    await pause();
  }
  object[list] = elements;
  return object;
};

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const assertSmall = (what: string, size: number, { mostBytes }: { mostBytes: number }): void => {
  if (size <= mostBytes) return;
  throw new RendermillError('payload_too_large', {
    message: `${what} has ${size} bytes, and at most ${mostBytes} are taken. Send less in it; media goes by its URL or in the bundle.`,
    details: { sizeInBytes: size, limit: mostBytes },
  });
};

const parseElement = (name: string, text: string, parse: (text: string) => unknown): unknown => {
  try {
    // The parser would read over one, as at the beginning of a file.
    if (/^\s*\uFEFF/.test(text)) throw new Error('a byte order mark stands before it');
    return parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RendermillError('invalid_json', {
      message: `The body is not valid JSON: ${name}: ${why}.`,
      cause: error,
    });
  }
};

/** Places in the text. */
interface FoundList {
  /** Behind its opening bracket. */
  readonly start: number;
  /** Behind each element: its comma, or the closing bracket. */
  readonly ends: readonly number[];
  /** Its closing bracket. */
  readonly end: number;
}

/** Null: there is none, or what is there is no list. Of text that is no JSON anything, which no parser will take then. */
const findList = async (
  bytes: Buffer,
  { list, most, pause }: LargeJsonOptions,
): Promise<FoundList | null> => {
  const finder = createFinder(bytes, list, most);
  let looked = 0;
  for (let at = 0; at < bytes.length; at = finder.step(at) + 1) {
    if (at - looked < bytesPerLook) continue;
    looked = at;
    await pause();
  }
  return finder.found();
};

const createFinder = (bytes: Buffer, list: string, most: number) => {
  const name = Buffer.from(JSON.stringify(list));
  let found: FoundList | null = null;
  /** Where its elements are being looked for. */
  let inside: { start: number; ends: number[] } | null = null;
  let depth = 0;
  /** The name was read, and what it names comes next. */
  let isNamed = false;

  const open = (at: number, byte: number): void => {
    depth += 1;
    if (isNamed && byte === openList) {
      if (found !== null) throw twice(list);
      inside = { start: at + 1, ends: [] };
    }
    isNamed = false;
  };
  const close = (at: number): void => {
    depth -= 1;
    if (depth !== 1 || inside === null) return;
    found = closeAt(bytes, inside, at);
    inside = null;
  };
  const separate = (at: number): void => {
    if (depth === 2 && inside !== null) {
      inside.ends.push(at);
      if (inside.ends.length >= most) throw tooMany(list, most);
    }
    isNamed = false;
  };

  return {
    found: () => found,
    /** Answers the last place that it has looked at. */
    step: (at: number): number => {
      const byte = bytes[at];
      if (byte === quote) {
        const end = endOfText(bytes, at);
        isNamed = depth === 1 && bytes.subarray(at, end + 1).equals(name);
        return end;
      }
      if (byte === openList || byte === openObject) open(at, byte);
      else if (byte === closeList || byte === closeObject) close(at);
      else if (byte === comma) separate(at);
      return at;
    },
  };
};

/** Of an empty list there is no element, not one without text. */
const closeAt = (
  bytes: Buffer,
  { start, ends }: { start: number; ends: number[] },
  end: number,
): FoundList => {
  const isEmpty = ends.length === 0 && bytes.subarray(start, end).every(isSpace);
  return { start, ends: isEmpty ? [] : [...ends, end], end };
};

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The closing quote: the next one that no odd number of backslashes stands before. */
const endOfText = (bytes: Buffer, opening: number): number => {
  for (let at = bytes.indexOf(quote, opening + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let before = at - 1;
    while (bytes[before] === backslash) before -= 1;
    if ((at - before) % 2 === 1) return at;
  }
  return bytes.length;
};

const tooMany = (list: string, most: number): RendermillError =>
  new RendermillError('invalid_request', {
    message: `${list}: there are more than ${most}, which is as many as are taken at once.`,
    details: { limit: most },
  });

const twice = (list: string): RendermillError =>
  new RendermillError('invalid_json', { message: `The body is not valid JSON: it has "${list}" twice.` });
