import { z } from 'zod';

const REMOTE = /^(https?:\/\/|data:image\/)/;
const LOCAL = /^(?!.*\.\.)[\w][\w\-./ ]*\.(png|jpe?g|webp|avif|gif|svg)$/i;

/** A picture: an http(s) or data URL, or the name of a file in the public folder. */
export const pictureSource = z
  .string()
  .min(1)
  .max(2048)
  .refine((value) => REMOTE.test(value) || LOCAL.test(value), {
    message:
      'Expected an http(s) URL, or the name of an image file in the public folder, such as "shoe.png".',
  });

export function isRemotePicture(source: string): boolean {
  return REMOTE.test(source);
}
