/**
 * Marks what was a zod date, so that whoever reads JSON can make a Date of it again. The same word as in `core/revive-dates`, which
 * cannot be imported here: these files are compiled by the project's bundler, also from a build. A test compares the two.
 */
export const dateMark = 'x-rendermill-date';

export type JsonSchema = Record<string, unknown>;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

export interface Zod4Schema {
  readonly _zod: { readonly def: { readonly type: string }; readonly optin?: 'optional' | undefined };
}

/** The parts of a zod 3 schema that hold others, whichever of them there are. */
export interface Zod3Schema {
  readonly _def: {
    readonly typeName: string;
    readonly innerType?: Zod3Schema;
    readonly schema?: Zod3Schema;
    readonly type?: Zod3Schema;
    readonly shape?: () => Record<string, unknown>;
  };
  isOptional(): boolean;
}

export const isZod4 = (schema: unknown): schema is Zod4Schema => isRecord(schema) && isRecord(schema._zod);

export const isZod3 = (schema: unknown): schema is Zod3Schema =>
  isRecord(schema) && !isZod4(schema) && isRecord(schema._def) && typeof schema._def.typeName === 'string';
