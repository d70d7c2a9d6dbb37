/** How POSTHOG_DISTINCT_IDS says that people are called there. */
export type PosthogDistinctIds = 'namespaced' | 'raw';

/** The name of a user or a visitor at PostHog: with the organization before it, so that no two organizations share a person. */
export const posthogDistinctId = (mode: PosthogDistinctIds, organizationId: string, id: string): string =>
  mode === 'namespaced' ? `${organizationId}/${id}` : id;
