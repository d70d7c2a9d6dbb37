import type { LookupFunction } from 'node:net';
import type { ResolvedAddress } from './resolve-public.ts';

/** As a resolver says it. */
const noAddress = (): NodeJS.ErrnoException =>
  Object.assign(new Error('The name has no address.'), { code: 'ENODATA' });

/** A lookup that knows its answer: the connection goes where the check looked. */
export const pinTo =
  (addresses: readonly ResolvedAddress[]): LookupFunction =>
  (_host, options, callback) => {
    const [first] = addresses;
    if (first === undefined) return callback(noAddress(), '', 0);
    if (options.all === true) return callback(null, [...addresses]);
    callback(null, first.address, first.family);
  };
