import { readFile } from 'node:fs/promises';
import { RendermillError } from '../../core/errors.ts';

const invalid = (message: string, cause?: unknown) =>
  new RendermillError('invalid_request', { message, cause });

const parse = (option: string, json: string, where: string): unknown => {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw invalid(`${option}: ${where} is not JSON: ${(cause as Error).message}.`, cause);
  }
};

/** The value of an option: a JSON object, or the name of a file that holds one behind an @. */
export const readJsonObject = async (option: string, text: string): Promise<Record<string, unknown>> => {
  const file = text.startsWith('@') ? text.slice(1) : undefined;
  const json =
    file === undefined
      ? text
      : await readFile(file, 'utf8').catch((cause: Error) => {
          throw invalid(`${option}: ${file} cannot be read: ${cause.message}.`, cause);
        });
  const value = parse(option, json, file ?? 'its value');
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(`${option}: ${file ?? 'its value'} is not a JSON object such as {"title":"Hello"}.`);
};
