/** The parts of an import's form, and compositions to import for. */
import { productCardDefaults } from '../../../remotion/product-card/schema.ts';
import type { RegisteredComposition } from '../../../src/domain/compositions/register-bundle.ts';
import { exampleComposition } from '../../support/factories.ts';

export const sizes = [
  { name: 'square', width: 1080, height: 1080 },
  { name: 'story', width: 1080, height: 1920, device: 'phone' },
];

export const order = {
  userId: 'ann',
  projectId: 'spring',
  compositionId: 'card',
  format: 'png',
  sizes,
};

/** As the bundle command describes the example of that name. */
export const card: RegisteredComposition = {
  ...exampleComposition,
  id: 'card',
  defaultProps: productCardDefaults,
  propsSchema: {
    type: 'object',
    properties: {
      productName: { type: 'string', minLength: 1, maxLength: 80 },
      description: { type: 'string', maxLength: 220 },
      price: { type: 'number', minimum: 0, maximum: 1_000_000_000 },
      oldPrice: { type: 'number', minimum: 0 },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      locale: { type: 'string', maxLength: 35 },
      badge: { type: 'string', maxLength: 16 },
      rating: {
        type: 'object',
        properties: {
          value: { type: 'number', minimum: 0, maximum: 5 },
          count: { type: 'integer', minimum: 0 },
        },
        required: ['value'],
        additionalProperties: false,
      },
      accentColor: { type: 'string', pattern: '^#[0-9a-fA-F]{6}$' },
      image: { type: 'string', minLength: 1, maxLength: 2048 },
    },
    required: ['productName', 'description', 'price', 'currency', 'locale', 'accentColor'],
    additionalProperties: false,
  },
};

/** Its pattern takes a hundredth of a second to refuse 20 letters. */
export const slowCard: RegisteredComposition = {
  ...card,
  id: 'slow',
  propsSchema: { type: 'object', properties: { productName: { type: 'string', pattern: '^(a+)+$' } } },
};

export const formOf = (options: unknown, file: string | Uint8Array): FormData => {
  const form = new FormData();
  form.append('options', typeof options === 'string' ? options : JSON.stringify(options));
  form.append('file', new Blob([file as string]), 'products.csv');
  return form;
};
