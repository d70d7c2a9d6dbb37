interface Document {
  readonly components?: { readonly schemas?: Record<string, unknown> };
}

/** Every schema with an id comes twice, as what is taken and as what is answered; those that nothing refers to go. */
export const withoutUnusedSchemas = <T extends object>(document: T): T => {
  const { components } = document as Document;
  if (components?.schemas === undefined) return document;
  const text = JSON.stringify(document);
  const all = Object.entries(components.schemas);
  const used = all.filter(([name]) => text.includes(`"#/components/schemas/${name}"`));
  const rest = { ...document, components: { ...components, schemas: Object.fromEntries(used) } };
  // One that went may have been the only one that referred to another.
  return used.length === all.length ? document : withoutUnusedSchemas(rest);
};
