import { z } from 'zod';
import { hexColour } from '../shared/colour.ts';
import { pictureSource } from '../shared/picture-source.ts';

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

function isLocale(tag: string): boolean {
  try {
    return new Intl.Locale(tag).baseName !== '';
  } catch {
    return false;
  }
}

const amount = z.number().min(0).max(1_000_000_000);

export const productCardSchema = z.strictObject({
  productName: z.string().trim().min(1).max(80).describe('Name of the product.'),
  description: z.string().trim().max(220).describe('One or two sentences; left out in small formats.'),
  price: amount.describe('Price in whole units of the currency, such as 129.9.'),
  oldPrice: amount.optional().describe('Former price; shown crossed out when it is higher than the price.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'Expected three capital letters, such as "EUR".')
    .refine((code) => CURRENCIES.has(code), { message: 'This is not a currency of ISO 4217.' })
    .describe('ISO 4217 code.'),
  locale: z
    .string()
    .max(35)
    .refine(isLocale, { message: 'Expected a BCP 47 language tag, such as "de-AT" or "ar-EG".' })
    .describe('BCP 47 tag: formats numbers, and turns the layout around for right-to-left languages.'),
  badge: z
    .string()
    .trim()
    .max(16)
    .optional()
    .describe(
      'Text of the sticker. Default: the discount in percent, if there is one; an empty text removes it.',
    ),
  rating: z
    .strictObject({
      value: z.number().min(0).max(5).describe('Stars, 0 to 5.'),
      count: z.number().int().min(0).max(100_000_000).optional().describe('Number of ratings.'),
    })
    .optional()
    .describe('Customer rating.'),
  accentColor: hexColour.describe('Colour behind the product, as #rrggbb.'),
  image: pictureSource
    .optional()
    .describe(
      'Photo of the product, replacing the drawing: an http(s) URL, or a file name in the public folder.',
    ),
});

export type ProductCardProps = z.infer<typeof productCardSchema>;

export const productCardDefaults: ProductCardProps = {
  productName: 'Tala Pocket Radio',
  description:
    'Hand-tuned FM in a shell of recycled aluminium. Thirty hours on one charge, a lifetime of Sundays.',
  price: 129,
  currency: 'EUR',
  locale: 'en-IE',
  accentColor: '#f0b429',
};
