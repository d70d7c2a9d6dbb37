/**
 * WooCommerce's product export. A variable product and a grouped one have no price of their own: what they consist of does, and
 * stands in rows of type variation, or simple, with a name, a picture and a price each.
 */
import type { Preset } from './preset.ts';
import {
  readComparePrice,
  readDescription,
  readFirstImage,
  readName,
  readPrice,
  readText,
} from './shared-readers.ts';

const sale = ['Sale price'] as const;
const regular = ['Regular price'] as const;

export const woocommerce: Preset = {
  title: 'a WooCommerce product export',
  fields: {
    name: readName('Name'),
    description: readDescription('Short description', 'Description'),
    price: readPrice(sale, regular),
    compareAtPrice: readComparePrice(sale, regular),
    image: readFirstImage('Images'),
    brand: readText('Brands', 'Brand'),
    category: readText('Categories'),
    sku: readText('SKU'),
    link: readText('External URL'),
  },
  nameColumns: ['SKU', 'ID', 'Name'],
  createSkip: () => (cells) =>
    /\b(variable|grouped)\b/.test(cells.text('Type').toLowerCase()) && cells.text(...sale, ...regular) === '',
};
