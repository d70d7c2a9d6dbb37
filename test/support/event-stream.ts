/** A client of an event stream of the API, which reads one frame at a time. */
import type { TestApi } from './api.ts';

export interface Frame {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

export interface EventStream {
  readonly response: Response;
  /** `undefined` once the stream has ended. */
  next(): Promise<Frame | undefined>;
  /** What is left, when the stream has ended. */
  rest(): Promise<readonly Frame[]>;
  leave(): void;
}

export const openEventStream = async (
  api: TestApi,
  path: string,
  { key, headers }: { key: string; headers?: Readonly<Record<string, string>> },
): Promise<EventStream> => {
  const left = new AbortController();
  const response = await api.call(path, { key, ...(headers ? { headers } : {}), signal: left.signal });
  const frames = readFrames(response);
  return {
    response,
    next: async () => (await frames.next()).value,
    rest: async () => {
      const all: Frame[] = [];
      for await (const frame of frames) all.push(frame);
      return all;
    },
    leave: () => left.abort(),
  };
};

async function* readFrames(response: Response): AsyncGenerator<Frame, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = parseFrame(text.slice(0, end));
      text = text.slice(end + 2);
      if (frame) yield frame;
    }
  }
  return undefined;
}

const parseFrame = (text: string): Frame | null => {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const [event, data] = [fields.get('event'), fields.get('data')];
  return event === undefined || data === undefined
    ? null
    : { event, id: fields.get('id'), data: JSON.parse(data) };
};
