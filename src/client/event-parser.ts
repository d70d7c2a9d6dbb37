/** Server-sent events (WHATWG HTML, 9.2.6), as text comes in, cut anywhere. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** Of the last event that had one. */
  readonly id: string;
}

export interface EventParser {
  /** The events that this text completes. */
  push(text: string): readonly StreamEvent[];
  /** What the server wishes clients to wait before they come back; undefined: it did not say. */
  readonly retryMs: number | undefined;
}

// A "\r" at the very end may be the first half of "\r\n".
const lineEnd = /\r\n|\n|\r(?=[^\n])/;

export const createEventParser = (): EventParser => {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id = '';
  let retryMs: number | undefined;

  const field = (line: string) => {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
  };

  const dispatch = (): StreamEvent[] => {
    const complete = data.length > 0 ? [{ event: event || 'message', data: data.join('\n'), id }] : [];
    event = '';
    data = [];
    return complete;
  };

  return {
    push: (text) => {
      const lines = (rest + text).split(lineEnd);
      rest = lines.pop() ?? '';
      return lines.flatMap((line) => {
        if (line === '') return dispatch();
        field(line);
        return [];
      });
    },
    get retryMs() {
      return retryMs;
    },
  };
};
