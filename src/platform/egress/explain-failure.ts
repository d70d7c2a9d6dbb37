import { errors } from 'undici';
import { EgressRefused } from './egress-refused.ts';

const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused.',
  ECONNRESET: 'The connection was closed before an answer came.',
  EPIPE: 'The connection was closed before an answer came.',
  UND_ERR_SOCKET: 'The connection was closed before an answer came.',
  ENOTFOUND: 'The name of the host does not exist.',
  ENODATA: 'The name of the host has no address.',
  EAI_AGAIN: 'The name of the host could not be resolved.',
  ESERVFAIL: 'The name of the host could not be resolved.',
  ETIMEOUT: 'The name of the host could not be resolved in time.',
  UND_ERR_CONNECT_TIMEOUT: 'The host did not take the connection in time.',
  ETIMEDOUT: 'The host did not take the connection in time.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The host cannot be reached.',
  UND_ERR_HEADERS_OVERFLOW: 'The headers of the answer are too large.',
};

/** Its reason names an address, which is not told. */
const notPublic =
  'The host does not lie at a public address; where that is wanted, set WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true.';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What happened to a request of ours, in words that its receiver may read: no address of ours, nothing of our network. */
export const explainNetworkFailure = (error: unknown): string => {
  if (error instanceof EgressRefused) return notPublic;
  const code = codeOf(error);
  const text = texts[code];
  if (text !== undefined) return text;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return `The certificate of the host is not valid (${code}).`;
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return `No secure connection could be made (${code}).`;
  if (error instanceof errors.HTTPParserError) return 'The answer is not valid HTTP.';
  return code === '' ? 'The request failed.' : `The request failed (${code}).`;
};
