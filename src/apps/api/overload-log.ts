import type { Caller } from '../../platform/http/rate-limits.ts';
import { createRefusalLog } from '../../platform/http/refusal-log.ts';
import type { Resources } from '../resources.ts';

/** Who is turned away because too many exports wait: each key once a minute, whatever it asks. */
export const createOverloadLog = ({
  log,
  config,
}: Pick<Resources, 'log' | 'config'>): ((address: string, route: string, caller: Caller) => void) => {
  const tell = createRefusalLog(log);
  return (address, route, { keyId, organizationId }) =>
    tell(
      `key:${keyId}`,
      { by: 'waiting_renders', keyId, organizationId, address, limit: config.MAX_WAITING_RENDERS, route },
      'turned away with 503: as many exports wait as MAX_WAITING_RENDERS permits; more workers make room',
    );
};
