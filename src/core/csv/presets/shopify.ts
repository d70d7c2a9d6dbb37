/**
 * Shopify's product export, with the names of its columns of before and after 2025. A product with variants or further pictures
 * takes several rows of one handle, of which only the first has a title: that row is the product.
 */
import type { Cells, Preset } from './preset.ts';
import {
  readComparePrice,
  readDescription,
  readFirstImage,
  readName,
  readPrice,
  readText,
} from './shared-readers.ts';

const handle = ['Handle', 'URL handle'] as const;
const title = ['Title'] as const;
const price = ['Variant Price', 'Price'] as const;

export const shopify: Preset = {
  title: 'a Shopify product export',
  fields: {
    name: readName(...title),
    description: readDescription('Body (HTML)', 'Description'),
    price: readPrice([], price),
    // Shopify's price is what is asked for now.
    compareAtPrice: readComparePrice(price, ['Variant Compare At Price', 'Compare-at price']),
    image: readFirstImage('Image Src', 'Product image URL', 'Variant Image', 'Variant image URL'),
    brand: readText('Vendor'),
    category: readText('Type', 'Product Category', 'Product category'),
    sku: readText('Variant SKU', 'SKU'),
  },
  nameColumns: [...handle, ...title],
  createSkip: () => {
    let last = '';
    return (cells: Cells) => {
      const current = cells.text(...handle);
      const continues = current !== '' && current === last;
      last = current;
      return continues || (current !== '' && cells.text(...title) === '' && cells.text(...price) === '');
    };
  },
};
