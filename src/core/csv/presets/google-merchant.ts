/** A product feed of Google Merchant Center, usually with tabs. Names of attributes may have spaces instead of underscores. */

import { absent, accept, refuse } from '../read-cell.ts';
import { readMoney } from '../read-money.ts';
import type { Preset } from './preset.ts';
import {
  readComparePrice,
  readDescription,
  readFirstImage,
  readName,
  readPrice,
  readText,
} from './shared-readers.ts';

const sale = ['sale_price'] as const;
const regular = ['price'] as const;

export const googleMerchant: Preset = {
  title: 'a Google Merchant product feed',
  fields: {
    name: readName('title'),
    description: readDescription('description'),
    price: readPrice(sale, regular),
    compareAtPrice: readComparePrice(sale, regular),
    currency: {
      columns: regular,
      read: (cells) => {
        const text = cells.text(...sale, ...regular);
        const money = readMoney(text, cells.style);
        // A price that cannot be read is refused as the price already.
        if (text === '' || money.type === 'refused') return absent;
        return money.currency === null
          ? refuse('names no currency, as in 19.99 USD')
          : accept(money.currency);
      },
    },
    image: readFirstImage('image_link'),
    brand: readText('brand'),
    category: readText('product_type', 'google_product_category'),
    sku: readText('id'),
    link: readText('link'),
    availability: readText('availability'),
  },
  nameColumns: ['id', 'title'],
  createSkip: () => () => false,
};
