import type { Config } from '../platform/config/config.ts';
import type { Lifecycle } from '../platform/lifecycle/lifecycle.ts';
import type { Logger } from '../platform/log/log.ts';

/** What every process of ours has from its start. */
export interface Process {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
}
