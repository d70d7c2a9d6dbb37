/** A place in a list that is read newest first, as the cursor that a client gives back for the next page. */
import { RendermillError } from '../../core/errors.ts';
import { isUuid } from '../../core/ids.ts';

export interface PagePlace {
  /** Microseconds since the epoch: Postgres' own resolution, which a Date would cut. */
  readonly micros: string;
  readonly id: string;
}

export const encodePlace = ({ micros, id }: PagePlace): string =>
  Buffer.from(`${micros}:${id}`).toString('base64url');

/** Throws `invalid_request` for what this API did not give out. */
export const decodePlace = (cursor: string): PagePlace => {
  const [micros = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  if (/^\d{1,17}$/.test(micros) && isUuid(id)) return { micros, id };
  throw new RendermillError('invalid_request', {
    message: 'The cursor is not one that this API gave out.',
  });
};
