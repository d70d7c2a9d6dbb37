/** RFC 9110, section 14: one range of bytes; several at once are answered with the whole file, which the RFC allows. */
export type RangeAnswer =
  | { readonly type: 'whole' }
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' };

const whole: RangeAnswer = { type: 'whole' };

export const parseByteRange = (header: string | undefined, size: number): RangeAnswer => {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header ?? '');
  if (!match) return whole;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return whole;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { type: 'unsatisfiable' } : { type: 'part', start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return whole;
  return start >= size ? { type: 'unsatisfiable' } : { type: 'part', start, end };
};
