import { type ErrorCode, RendermillError } from '../../../../core/errors.ts';
import { playlistReason } from '../../egress/playlists.ts';
import { assetName, publicText } from './public-text.ts';

/** What was seen around a failure and is not part of the error itself. */
export interface FailureEvidence {
  /** Requests that the egress guard refused during this render. */
  readonly blocked?: readonly { readonly url: string; readonly reason: string }[];
  /** Addresses that the browser could not load, newest last. */
  readonly failedUrls?: readonly string[];
  /** Where in the tenant's sources the error was thrown. */
  readonly thrownAt?: string | null;
  /** Whether the browser still takes commands. */
  readonly browserAnswers?: boolean;
}

interface Verdict {
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface Rule {
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  readonly explain?: (match: RegExpExecArray, text: string) => Verdict;
}

const assetVerdict = (src: string): Verdict => ({
  message: `${assetName(src)} could not be loaded. Check that the file is part of the project or that the address answers.`,
  details: { src: assetName(src) },
});

/** The machine's failures, whatever the composition did. */
const machineRules: readonly Rule[] = [
  { code: 'render_canceled', pattern: /\(\) got cancelled/ },
  { code: 'disk_full', pattern: /ENOSPC|No space left on device/i },
  {
    code: 'render_crashed',
    pattern: /(FFmpeg|Compositor) (?:quit|exited|panicked)/,
    explain: ([, program]) => ({ message: `${program} ended unexpectedly during the render.` }),
  },
  { code: 'render_crashed', pattern: /write EPIPE|Compositor already quit/ },
  {
    code: 'browser_lost',
    pattern:
      /Page crashed|Target closed|Session closed|Protocol error|Connection closed|Failed to launch the browser|connect to the browser|ran out of memory or disk space/,
  },
];

/** Remotion's own words about the tenant's project. */
const projectRules: readonly Rule[] = [
  {
    code: 'composition_not_found',
    pattern:
      /(?:Could not find composition with ID|No composition with the ID) (.+?)(?: found)?\. Available compositions: (.*)/,
    explain: ([, id, available = '']) => ({
      message: `There is no composition "${id}" in this project. Available: ${available}.`,
      details: { compositionId: id, available: available.split(', ').filter(Boolean) },
    }),
  },
];

const assetRules: readonly Rule[] = [
  /(?:Error loading|Failed to load) image with src:? (\S+)/,
  /Received a status code of \d+ while downloading file (\S+?)\.?$/m,
  /Failed to load font "([^"]+)"/,
  /threw an error while playing the (?:video|audio) (\S+?)[:,]?(?:\s|$)/,
  /Could not play (?:video|audio) with src (\S+?):?(?:\s|$)/,
  /Cannot render (?:video|audio) "([^"]+)": Network error/,
  /Network error fetching (\S+?)\.?$/m,
].map((pattern) => ({ code: 'asset_missing', pattern, explain: ([, src = '']) => assetVerdict(src) }));

/** The page says only that something was not loaded; what it was, the browser's log knows. */
const namelessFailure =
  /Failed to fetch|network error|NetworkError|source image cannot be decoded|status.{0,20}404/i;

const delayRule: Rule = {
  code: 'delay_render_timeout',
  pattern: /A delayRender\(\)(?: "(.+?)")? was called but not cleared after (\d+)ms/,
  explain: ([, label, ms]) => ({
    message: `delayRender(${label === undefined ? '' : `"${label}"`}) was called, but no continueRender() followed within ${Number(ms) / 1000} seconds.`,
    details: { label: label ?? null, timeoutMs: Number(ms) },
  }),
};

/** The page's only thread is busy while its browser is well: the same composition would do it again. */
const endlessRule: Rule = {
  code: 'composition_error',
  pattern: /(?:timeout \d+ms exceeded|Timeout \(\d+ms\) exceeded|Timed out evaluating page function)/i,
  explain: () => ({
    message: 'The page stopped answering. An endless loop in the composition looks like this.',
  }),
};

/** Nobody answers; the machine may be to blame. */
const deafRule: Rule = {
  code: 'render_stalled',
  pattern: /(?:timeout \d+ms exceeded|Timeout \(\d+ms\) exceeded|timed out)/i,
  explain: () => ({
    message:
      'The browser stopped answering. An overloaded machine or an endless loop in the composition looks like this.',
  }),
};

const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const firstVerdict = (rules: readonly Rule[], text: string): ({ code: ErrorCode } & Verdict) | null => {
  for (const { code, pattern, explain } of rules) {
    const match = pattern.exec(text);
    if (match !== null) return { code, ...explain?.(match, text) };
  }
  return null;
};

const adviceOn = (reason: string, host: string): string => {
  if (reason === playlistReason) return 'Use the video or the sound itself.';
  if (host === '') {
    return 'Files of the machine are never loaded: put the file into public/ and name it with staticFile().';
  }
  return `Ask the operator to allow ${host}.`;
};

const blockedVerdict = (evidence: FailureEvidence, text: string): ({ code: ErrorCode } & Verdict) | null => {
  const [first] = evidence.blocked ?? [];
  if (first === undefined) return null;
  const host = URL.canParse(first.url) ? new URL(first.url).host : '';
  return {
    code: 'network_blocked',
    message: `The composition asked for ${assetName(first.url)}, which is not permitted: ${first.reason}. ${adviceOn(first.reason, host)}`,
    details: { host, blocked: evidence.blocked?.map(({ url }) => url), failure: publicText(text) },
  };
};

const namelessVerdict = (evidence: FailureEvidence, text: string): ({ code: ErrorCode } & Verdict) | null => {
  const url = evidence.failedUrls?.at(-1);
  if (url === undefined || !namelessFailure.test(text)) return null;
  return { code: 'asset_missing', ...assetVerdict(url) };
};

/** Remotion marks what the page threw by attaching the page's stack. */
const isFromPage = (error: unknown): error is Error => error instanceof Error && 'stackFrame' in error;

const compositionVerdict = (error: Error, evidence: FailureEvidence): { code: ErrorCode } & Verdict => {
  const name = error.name === 'Error' || error.name === 'CancelledError' ? '' : `${error.name}: `;
  // Of what calculateMetadata() throws, Remotion's message begins with the name.
  const said = publicText(
    name !== '' && error.message.startsWith(name) ? error.message.slice(name.length) : error.message,
  );
  const place = evidence.thrownAt ? ` (at ${evidence.thrownAt})` : '';
  return {
    code: 'composition_error',
    message: `The composition threw an error: ${name}${said}${place}`,
    details: { error: said, thrownAt: evidence.thrownAt ?? null },
  };
};

/**
 * Recognises, once and here, the failures that Remotion can only tell in words. What the machine did wrong goes first, then a
 * refused request: whatever failed after it, the refusal is what the tenant's developer needs to know.
 */
export const classifyRenderError = (error: unknown, evidence: FailureEvidence = {}): RendermillError => {
  if (error instanceof RendermillError) return error;
  const text = errorText(error);
  const verdict =
    firstVerdict(machineRules, text) ??
    firstVerdict(projectRules, text) ??
    blockedVerdict(evidence, text) ??
    firstVerdict(assetRules, text) ??
    namelessVerdict(evidence, text) ??
    firstVerdict([delayRule], text) ??
    (isFromPage(error)
      ? compositionVerdict(error, evidence)
      : firstVerdict(evidence.browserAnswers === true ? [endlessRule, deafRule] : [deafRule], text));
  if (verdict === null) return new RendermillError('render_failed', { cause: error });
  const { code, ...publicPart } = verdict;
  return new RendermillError(code, { ...publicPart, cause: error });
};
