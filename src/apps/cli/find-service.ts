import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Client, createClient } from '../../client/client.ts';
import type { ClientOptions } from '../../client/transport.ts';
import { RendermillError } from '../../core/errors.ts';
import { loadConfig } from '../../platform/config/config.ts';
import { readAddress } from '../up/address-file.ts';
import { developmentKeyFile } from '../up/development-key.ts';
import type { Terminal } from './terminal.ts';

const defaultUrl = 'http://127.0.0.1:3000';

export interface ServiceOptions {
  readonly url?: string;
  readonly key?: string;
}

export const addServiceOptions = (command: Command): Command =>
  command
    .option(
      '--url <url>',
      `where the service is (default: RENDERMILL_URL, else where \`up\` is in RENDERMILL_HOME, else ${defaultUrl})`,
    )
    .option(
      '--key <key>',
      'a secret key (default: RENDERMILL_API_KEY, else the one of `up` in RENDERMILL_HOME, for its own address)',
    );

/** The service that a command asks; what it has to wait for it says on stderr. */
export const openClient = async (options: ServiceOptions, terminal: Terminal): Promise<Client> =>
  createClient({
    ...(await findService(options, terminal.environment)),
    onWait: ({ error, waitMs }) =>
      terminal.note(`${error.message} Asking again in ${Math.ceil(waitMs / 1000)} s.`),
  });

/** An option, else the environment, else what `up` left. */
export const findService = async (
  options: ServiceOptions,
  environment: Terminal['environment'],
): Promise<ClientOptions> => {
  const named = options.url ?? (environment.RENDERMILL_URL || undefined);
  const keyGiven = options.key ?? (environment.RENDERMILL_API_KEY || undefined);
  // Who names both needs no folder.
  if (named !== undefined && keyGiven !== undefined) return { url: checkUrl(named), key: keyGiven };
  const { home } = loadConfig(environment);
  const ownUrl = await readAddress(home);
  const url = checkUrl(named ?? ownUrl ?? defaultUrl);
  return { url, key: keyGiven ?? (await readOwnKey(home, ownUrl, url)) };
};

const checkUrl = (url: string): string => {
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new RendermillError('invalid_request', { message: `"${url}" is not a URL such as ${defaultUrl}.` });
  }
  return url;
};

/** The folder's key opens the folder's service only: whoever listens elsewhere has no business with it. */
const readOwnKey = async (home: string, ownUrl: string | null, url: string): Promise<string> => {
  if (ownUrl === null) {
    throw new RendermillError('unauthenticated', {
      message: `No API key: give --key or RENDERMILL_API_KEY, or run rendermill up: it is not up in ${home}.`,
    });
  }
  if (!isSame(ownUrl, url)) {
    throw new RendermillError('unauthenticated', {
      message: `No API key for ${url}: give --key or RENDERMILL_API_KEY. (The one in ${home} is for ${ownUrl}.)`,
    });
  }
  const file = developmentKeyFile(home);
  const key = await readFile(file, 'utf8').catch(() => '');
  if (key.trim() !== '') return key.trim();
  throw new RendermillError('unauthenticated', {
    message: `No API key: give --key or RENDERMILL_API_KEY. (None can be read from ${file}.)`,
  });
};

const isSame = (one: string, other: string): boolean => withoutSlash(one) === withoutSlash(other);
const withoutSlash = (url: string): string => new URL(url).href.replace(/\/+$/, '');
