/** Who was refused because of a limit, for the operator: each is named once a minute, so that a flood of requests is none of lines. */
import type { Logger } from '../log/log.ts';
import { steadyMs } from './local-counts.ts';

/** Never the key itself. */
export interface RefusedCaller {
  readonly by: string;
  readonly keyId?: string;
  readonly organizationId?: string;
  /** Of the client, as far as the proxies before it are trusted. */
  readonly address: string;
  /** What was counted, where that is more than the one address. */
  readonly network?: string;
  readonly limit: number;
  /** The pattern, never the address: that has ids. */
  readonly route: string;
}

const minuteMs = 60_000;
/** A flood may come from more addresses than anybody reads lines. */
const mostNamed = 50;

/** `who`: what was counted, by which it is known within its minute. `text`: what an operator may do. */
export const createRefusalLog = (
  log: Logger,
): ((who: string, caller: RefusedCaller, text: string) => void) => {
  const named = new Set<string>();
  let endsAt = 0;
  let unnamed = 0;
  return (who, caller, text) => {
    if (steadyMs() >= endsAt) {
      if (unnamed > 0) log.warn({ requests: unnamed }, 'more were refused than are named here in a minute');
      named.clear();
      unnamed = 0;
      endsAt = steadyMs() + minuteMs;
    }
    if (named.has(who)) return;
    if (named.size >= mostNamed) unnamed += 1;
    else {
      named.add(who);
      log.warn(caller, text);
    }
  };
};
