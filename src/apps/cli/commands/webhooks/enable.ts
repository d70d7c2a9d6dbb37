import type { Enabled } from '../../../../features/delivery/webhooks/enable-endpoint.ts';
import { enableEndpoint } from '../../../../features/delivery/webhooks/enable-endpoint.ts';
import type { TestSender } from '../../../../features/delivery/webhooks/send-test.ts';
import type { Terminal } from '../../terminal.ts';
import { findEndpoint } from './find-endpoint.ts';

export interface EnableOptions {
  readonly organization?: string;
  readonly replay?: boolean;
  readonly json?: boolean;
}

export const enable = async (
  { db, clock }: TestSender,
  id: string,
  { organization, replay = false, json }: EnableOptions,
  terminal: Terminal,
): Promise<void> => {
  const sink = await findEndpoint(db, id, organization);
  const enabled = await enableEndpoint(db, sink.id, { replay }, clock.now());
  if (json) return terminal.print(JSON.stringify({ id: sink.id, ...enabled }));
  terminal.print(enabledLines(sink.id, enabled).join('\n'));
};

const deliveries = (count: number): string => (count === 1 ? '1 delivery' : `${count} deliveries`);

const enabledLines = (id: string, { waiting, missed, resumed }: Enabled): string[] => [
  `Enabled; ${deliveries(waiting)} that waited ${waiting === 1 ? 'goes' : 'go'} out now, in order.`,
  ...(resumed === null
    ? []
    : [`Among them ${resumed.missed} that it missed, and ${resumed.revived} that had been given up.`]),
  ...(missed?.until
    ? [
        `What was received from ${missed.from.toISOString()} to ${missed.until.toISOString()} did not go to it. To send it now:`,
        `  rendermill events replay --sink ${id} --from ${missed.from.toISOString()} --to ${missed.until.toISOString()} --yes`,
      ]
    : []),
];
