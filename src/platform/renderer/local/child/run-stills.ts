import type { StillsSpec } from '../../contract.ts';
import type { ChildSettings, FromChild } from '../messages.ts';
import { beginJob, type RunningJob } from './begin-job.ts';
import { renderStills } from './render-stills.ts';
import type { Session } from './session.ts';

export const runStills = (options: {
  readonly openSession: () => Promise<Session>;
  readonly spec: StillsSpec;
  readonly settings: ChildSettings;
  readonly send: (message: FromChild) => void;
}): RunningJob => {
  const { openSession, spec, settings, send } = options;
  return beginJob({
    openSession,
    bundlePath: spec.bundlePath,
    send,
    work: async (tools) => {
      await renderStills({
        spec,
        settings,
        tools,
        onOutcome: (outcome) => send({ type: 'still', outcome }),
        onAlive: () => send({ type: 'alive' }),
      });
      return { type: 'stills-done' };
    },
  });
};
