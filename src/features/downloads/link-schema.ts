import { z } from 'zod';
import { defaultLinkSeconds, maxLinkSeconds } from './signed-link.ts';

export const linkSchema = z
  .object({ url: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: 'DownloadLink', description: 'A link for one file or one archive, valid until then' });
export const expiresInSeconds = z.int().min(1).max(maxLinkSeconds).default(defaultLinkSeconds);
