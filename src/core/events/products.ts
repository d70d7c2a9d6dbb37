/** What a tenant sells. Source: the domain-event document. */
import { defineFamily } from './define-event.ts';
import { foreignId, text } from './properties.ts';

const product = defineFamily(
  { family: 'products', retention: 'business', sources: ['server', 'worker'] },
  { product_id: foreignId.optional(), variant_id: foreignId.optional(), name: text },
);

export const productEvents = {
  product_created: product('A product was made.', {}, { countsUse: true }),
  product_variant_created: product('A variant of a product was made.', {}, { countsUse: true }),
  sku_created: product('A stock-keeping unit was made.', { sku: text }, { countsUse: true }),
};
