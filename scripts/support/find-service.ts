import { join } from 'node:path';
import { type Service, startService } from './start-service.ts';

export type FoundService = Pick<Service, 'url' | 'key' | 'stop'>;

/** The service that was named, which is left running, or one of our own in `folder`. */
export const findService = async (
  { url, key }: { readonly url?: string | undefined; readonly key?: string | undefined },
  folder: string,
): Promise<FoundService> => {
  if (url !== undefined && key === undefined) throw new Error('--url needs --key, or RENDERMILL_API_KEY');
  if (url === undefined) console.log('Starting a service of our own …');
  const found =
    url !== undefined && key !== undefined
      ? { url, key, stop: async () => undefined }
      : await startService({ home: join(folder, 'home') });
  console.log(`Service: ${found.url}`);
  return found;
};
