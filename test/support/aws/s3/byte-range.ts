import { AwsError } from '../aws-error.ts';

/** First and last byte, both included; null where the whole is meant, which a malformed header also means. */
export const parseRange = (text: string | undefined, size: number): readonly [number, number] | null => {
  const match = /^bytes=(\d*)-(\d*)$/.exec(text ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (!match || (from === '' && to === '')) return null;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && from !== '' && Number(to) < first) return null;
  if (first >= size || (from === '' && Number(to) === 0))
    throw new AwsError(416, 'InvalidRange', 'The requested range is not satisfiable');
  return [first, last];
};
