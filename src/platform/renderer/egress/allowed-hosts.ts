import { RendermillError } from '../../../core/errors.ts';
import { normalizeHost } from '../../egress/host-name.ts';

const matcherOf = (pattern: string): ((host: string) => boolean) => {
  if (pattern === '*') return () => true;
  const isWildcard = pattern.startsWith('*.');
  const name = normalizeHost(isWildcard ? pattern.slice(2) : pattern);
  if (name === null || name.includes('*')) {
    throw new RendermillError('invalid_configuration', {
      message: `"${pattern}" is not a host that can be allowed. Expected a name such as cdn.example.com, *.example.com, or * for every public host; without scheme, port or path.`,
    });
  }
  return isWildcard ? (host) => host.endsWith(`.${name}`) : (host) => host === name;
};

/**
 * The operator's allow-list as a question: `cdn.example.com` is that host, `*.example.com` every name below it (not itself),
 * `*` every host. An empty list permits nothing. Throws `invalid_configuration` for what is no host.
 */
export const parseAllowedHosts = (patterns: readonly string[]): ((normalizedHost: string) => boolean) => {
  const matchers = patterns.map((pattern) => matcherOf(pattern.trim()));
  return (host) => matchers.some((matches) => matches(host));
};
