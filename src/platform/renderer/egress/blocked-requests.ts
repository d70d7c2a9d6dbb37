export interface BlockedRequest {
  readonly url: string;
  readonly reason: string;
}

export interface BlockedRequests {
  record(url: string, reason: string): void;
  /** Everything refused since the last call, each address once. */
  take(): readonly BlockedRequest[];
}

/** A page may ask for refused addresses in a loop; the first ones tell enough. */
const maxRemembered = 100;

/** Without user, password, query and fragment: these carry keys, and the text ends in an error message. */
const withoutSecrets = (url: string): string => {
  if (/^data:/i.test(url)) return url.replace(/,.*$/s, '').slice(0, 500);
  if (!URL.canParse(url)) return url.replace(/[?#].*$/s, '').slice(0, 500);
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`.slice(0, 500);
};

export const createBlockedRequests = (): BlockedRequests => {
  const byUrl = new Map<string, BlockedRequest>();
  return {
    record: (url, reason) => {
      const clean = withoutSecrets(url);
      if (byUrl.size < maxRemembered && !byUrl.has(clean)) byUrl.set(clean, { url: clean, reason });
    },
    take: () => {
      const taken = [...byUrl.values()];
      byUrl.clear();
      return taken;
    },
  };
};
