/** A campaign through a running service, from the watch to the table of what failed. */
import { ApiError } from '../../client/api-error.ts';
import type { Client } from '../../client/client.ts';
import { formatCampaignProgress, formatFailures, formatOutcome } from './campaign-lines.ts';
import { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

const clearLine = '\r\u001b[K';
/** 128 and the number of SIGINT. */
const interrupted = 130;

/** Ctrl-C cancels what is left and waits for the end; the second one stops waiting. Throws an ExitCode where a cell has no file. */
export const followCampaign = async (
  client: Client,
  campaign: string,
  { json = false }: { json?: boolean },
  terminal: Terminal,
): Promise<void> => {
  const canceled = await watchToEnd(client, campaign, json, terminal);
  const outcome = await client.campaignOutcome(campaign);
  if (json) terminal.print(JSON.stringify({ type: 'ended', ...outcome }));
  else terminal.print(formatOutcome(outcome));
  if (!json && outcome.failures.length > 0) terminal.print(formatFailures(outcome.failures));
  if (canceled) throw new ExitCode(interrupted);
  if (!outcome.success) throw new ExitCode(1);
};

/** True where it was canceled from here. */
const watchToEnd = async (
  client: Client,
  campaign: string,
  json: boolean,
  terminal: Terminal,
): Promise<boolean> => {
  const draw = json ? null : terminal.draw;
  const watching = new AbortController();
  let canceling = false;
  let refusal: unknown;
  const off = terminal.onInterrupt(() => {
    if (watching.signal.aborted) return;
    if (canceling) return watching.abort(new ExitCode(interrupted));
    canceling = true;
    draw?.(clearLine);
    terminal.note(`Canceling ${campaign}. Ctrl-C again to leave at once.`);
    client.cancelCampaign(campaign).catch((error: unknown) => {
      // It ended before the word arrived: then its end is what we are watching for anyway.
      if (error instanceof ApiError && error.code === 'batch_finished') return;
      refusal = error;
      watching.abort();
    });
  });
  try {
    for await (const message of client.watchCampaign(campaign, { signal: watching.signal })) {
      draw?.(clearLine + formatCampaignProgress(message));
      if (json) terminal.print(JSON.stringify(message));
    }
    return canceling;
  } catch (error) {
    throw refusal ?? (watching.signal.aborted ? watching.signal.reason : error);
  } finally {
    off();
    draw?.(clearLine);
  }
};
