import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ClientOptions } from '../../client/transport.ts';
import { RendermillError } from '../../core/errors.ts';
import { loadConfig } from '../../platform/config/config.ts';
import { developmentKeyFile } from '../up/development-key.ts';
import type { Terminal } from './terminal.ts';

const defaultUrl = 'http://127.0.0.1:3000';

export interface ServiceOptions {
  readonly url?: string;
  readonly key?: string;
}

export const addServiceOptions = (command: Command): Command =>
  command
    .option('--url <url>', `where the service is (default: RENDERMILL_URL, else ${defaultUrl})`)
    .option(
      '--key <key>',
      'a secret key (default: RENDERMILL_API_KEY, else the one that `up` left in RENDERMILL_HOME)',
    );

/** An option, else the environment, else what `up` left. */
export const findService = async (
  options: ServiceOptions,
  environment: Terminal['environment'],
): Promise<ClientOptions> => {
  const url = options.url ?? (environment.RENDERMILL_URL || defaultUrl);
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new RendermillError('invalid_request', { message: `"${url}" is not a URL such as ${defaultUrl}.` });
  }
  return {
    url,
    key: options.key ?? (environment.RENDERMILL_API_KEY || (await readDevelopmentKey(environment))),
  };
};

const readDevelopmentKey = async (environment: Terminal['environment']): Promise<string> => {
  const file = developmentKeyFile(loadConfig(environment).home);
  const key = await readFile(file, 'utf8').catch(() => '');
  if (key.trim() !== '') return key.trim();
  throw new RendermillError('unauthenticated', {
    message: `No API key: give --key or RENDERMILL_API_KEY. (There is none in ${file} either, where rendermill up leaves its own.)`,
  });
};
