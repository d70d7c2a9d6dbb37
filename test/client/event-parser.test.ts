import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventParser } from '../../src/client/event-parser.ts';

const stream = [
  'retry: 250\n\n',
  ': still here\n\n',
  'id: 7\nevent: status\ndata: {"status":"queued"}\n\n',
  'data: one\r\ndata: two\r\n\r\n',
  'event: progress\rdata:{"percent":1}\r\r',
  'event: without data\n\n',
  'data: unfinished',
].join('');

const expected = [
  { event: 'status', data: '{"status":"queued"}', id: '7' },
  { event: 'message', data: 'one\ntwo', id: '7' },
  { event: 'progress', data: '{"percent":1}', id: '7' },
];

describe('createEventParser', () => {
  it('reads events, ids, comments and all three kinds of line ends', () => {
    const parser = createEventParser();
    expect(parser.push(stream)).toEqual(expected);
    expect(parser.retryMs).toBe(250);
  });

  it('reads the same wherever the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const parser = createEventParser();
        const events = places.slice(1).flatMap((end, index) => parser.push(stream.slice(places[index], end)));
        expect(events).toEqual(expected);
      }),
    );
  });
});
