/** What the exports of a shop have in common: a product, whatever the columns are called. */
import type { CellReading } from '../read-cell.ts';
import type { NumberStyle } from '../read-number.ts';

export const productFields = [
  'name',
  'description',
  'price',
  'compareAtPrice',
  'currency',
  'image',
  'brand',
  'category',
  'sku',
  'link',
  'availability',
] as const;
export type ProductField = (typeof productFields)[number];

/** The cells of one record, by the names of its columns; a column that the file does not have is empty. */
export interface Cells {
  /** Trimmed; of several names the first column that is not empty. */
  text(...columns: readonly string[]): string;
  readonly style: NumberStyle;
}

export interface FieldReader {
  /** Any of these; the first that the file has is the one that problems and the answer name. */
  readonly columns: readonly string[];
  /** Without its column the file is no export of this shop. */
  readonly required?: boolean;
  /** A column that differs from row to row: the one that the value came from. */
  columnOf?(cells: Cells): string;
  read(cells: Cells): CellReading;
  /** An excerpt is better than a refusal: cut to what the prop allows. */
  readonly mayBeCut?: boolean;
}

export interface Preset {
  /** For messages: "a Shopify product export". */
  readonly title: string;
  readonly fields: Readonly<Partial<Record<ProductField, FieldReader>>>;
  readonly nameColumns: readonly string[];
  /** Rows that are no product of their own, such as further pictures of the one before. Made anew for each file. */
  createSkip(): (cells: Cells) => boolean;
}

/** Names that compositions give to these, without upper case and separators; the first that a composition has is filled. */
export const propsOfField: Readonly<Record<ProductField, readonly string[]>> = {
  name: ['productname', 'producttitle', 'name', 'title', 'product', 'headline'],
  description: ['description', 'productdescription', 'shortdescription', 'subtitle', 'text', 'body'],
  price: ['price', 'priceamount', 'productprice', 'amount', 'currentprice'],
  compareAtPrice: [
    'oldprice',
    'compareatprice',
    'regularprice',
    'originalprice',
    'listprice',
    'wasprice',
    'priceold',
    'pricebefore',
  ],
  currency: ['currency', 'currencycode', 'pricecurrency'],
  image: ['image', 'imageurl', 'imagesrc', 'productimage', 'photo', 'picture'],
  brand: ['brand', 'brandname', 'vendor', 'manufacturer'],
  category: ['category', 'producttype'],
  sku: ['sku', 'productid'],
  link: ['link', 'url', 'producturl'],
  availability: ['availability'],
};
