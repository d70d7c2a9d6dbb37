/**
 * Asks PostHog to delete a person and its events. Source: PostHog's API reference, "Persons", bulk_delete: the answer says that it
 * will, the events go at its next run of deletions.
 */
import { posthogDistinctId } from '../../core/delivery/posthog-distinct-id.ts';
import { storableText } from '../../core/storable-text.ts';
import type { Config } from '../../platform/config/config.ts';
import { createPostClient, type PostClient } from '../../platform/egress/post-client.ts';

export type PosthogConfig = Pick<
  Config,
  | 'POSTHOG_HOST'
  | 'POSTHOG_APP_HOST'
  | 'POSTHOG_PERSONAL_API_KEY'
  | 'POSTHOG_PROJECT_ID'
  | 'POSTHOG_DISTINCT_IDS'
>;

export interface PosthogQuestion {
  readonly organizationId: string;
  readonly ids: readonly string[];
  /** Stands for each of the ids in what is kept of the answer. */
  readonly pseudonym: string;
}

/** What is kept of it names nobody. */
export interface PosthogReply {
  readonly accepted: boolean;
  readonly request: Record<string, unknown>;
  readonly answer: Record<string, unknown>;
}

/** The older of PostHog's documents allow a hundred to a request, the newer ones a thousand. */
const idsPerRequest = 100;
const timeoutMs = 10_000;
const keptBytes = 2_048;

/** null: there is no key to ask with. */
const deletionUrl = (config: PosthogConfig): string | null => {
  const { POSTHOG_PERSONAL_API_KEY: key, POSTHOG_PROJECT_ID: project } = config;
  if (key === undefined || project === undefined) return null;
  const host = config.POSTHOG_APP_HOST ?? config.POSTHOG_HOST.replace(/\.i\.posthog\.com/, '.posthog.com');
  return `${host.replace(/\/+$/, '')}/api/projects/${encodeURIComponent(project)}/persons/bulk_delete/`;
};

export const canAskPosthog = (config: PosthogConfig): boolean => deletionUrl(config) !== null;

const hasErrors = (text: string): boolean => {
  try {
    const { deletion_errors: failed } = JSON.parse(text) as { deletion_errors?: unknown };
    return Array.isArray(failed) && failed.length > 0;
  } catch {
    return false;
  }
};

const withoutIds = (text: string, { ids, pseudonym }: PosthogQuestion): string =>
  ids.reduce((kept, id) => kept.replaceAll(id, pseudonym), text);

const askOnce = async (
  client: PostClient,
  config: PosthogConfig,
  question: PosthogQuestion,
  ids: readonly string[],
): Promise<Pick<PosthogReply, 'accepted' | 'answer'>> => {
  const names = ids.map((id) => posthogDistinctId(config.POSTHOG_DISTINCT_IDS, question.organizationId, id));
  const result = await client.post(
    {
      authorization: `Bearer ${config.POSTHOG_PERSONAL_API_KEY}`,
      'content-type': 'application/json',
      accept: 'application/json',
    },
    new TextEncoder().encode(JSON.stringify({ distinct_ids: names, delete_events: true })),
    AbortSignal.timeout(2 * timeoutMs),
  );
  if (result.type === 'aborted') return { accepted: false, answer: { error: 'No answer came.' } };
  if (result.type === 'failed') return { accepted: false, answer: { error: result.error } };
  const text = storableText(new TextDecoder().decode(result.body, { stream: true }));
  const accepted = result.status >= 200 && result.status < 300 && !hasErrors(text);
  return { accepted, answer: { status: result.status, body: withoutIds(text, question) } };
};

/** One attempt; the answer that counts is the first that did not accept, else the last. Never rejects for what PostHog does. */
export const askPosthog = async (config: PosthogConfig, question: PosthogQuestion): Promise<PosthogReply> => {
  const url = deletionUrl(config) ?? '';
  const request = { method: 'POST', url, delete_events: true, distinct_ids: question.ids.length };
  const client = createPostClient({ url, connections: 1, timeoutMs, allowPrivate: true, keptBytes });
  let reply: Pick<PosthogReply, 'accepted' | 'answer'> = { accepted: true, answer: {} };
  try {
    for (let at = 0; at < question.ids.length && reply.accepted; at += idsPerRequest) {
      reply = await askOnce(client, config, question, question.ids.slice(at, at + idsPerRequest));
    }
  } finally {
    await client.close();
  }
  return { ...reply, request };
};
