/** Properties of the catalog that name what an event is about; where an event has several, the earlier one is nearer to it. */
const entityProperties: readonly (readonly [property: string, type: string])[] = [
  ['job_id', 'job'],
  ['upload_id', 'upload'],
  ['timer_id', 'timer'],
  ['batch_id', 'batch'],
  ['recipe_id', 'recipe'],
  ['product_id', 'product'],
  ['item_id', 'inventory_item'],
  ['order_id', 'order'],
];

const maxIdLength = 200;

const idOf = (value: unknown): string | undefined => {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string') return undefined;
  const id = value.trim();
  return id !== '' && id.length <= maxIdLength && !/\p{Cc}/u.test(id) ? id : undefined;
};

/** What an event is about that does not say so in its envelope; undefined where no property tells. */
export const entityOfProperties = (
  properties: Readonly<Record<string, unknown>>,
): { type: string; id: string } | undefined => {
  for (const [property, type] of entityProperties) {
    const id = Object.hasOwn(properties, property) ? idOf(properties[property]) : undefined;
    if (id !== undefined) return { type, id };
  }
  return undefined;
};
