/** Options that are more than text. What they throw is a usage error: commander says which option it was, and the exit code is 2. */
import { InvalidArgumentError } from 'commander';

const numberWithin = (text: string, accepts: (value: number) => boolean, expected: string): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!accepts(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
};

export const positiveInteger = (text: string): number =>
  numberWithin(text, (value) => Number.isInteger(value) && value > 0, 'a whole number from 1');

export const integer = (text: string): number => numberWithin(text, Number.isInteger, 'a whole number');

export const positiveNumber = (text: string): number =>
  numberWithin(text, (value) => Number.isFinite(value) && value > 0, 'a number above 0');

export const notNegative = (text: string): number =>
  numberWithin(text, (value) => Number.isFinite(value) && value >= 0, 'a number from 0');

/** `0-89`: first and last frame, both included. */
export const frameRange = (text: string): [number, number] => {
  const match = /^(\d+)-(\d+)$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError('Expected two frames, such as 0-89.');
  return [Number(match[1]), Number(match[2])];
};
