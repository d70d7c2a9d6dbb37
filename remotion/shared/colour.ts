import { z } from 'zod';

export const hexColour = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, 'Expected a colour like #e4572e: a hash and six hexadecimal digits.');

function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function linear(channel: number): number {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function luminance(hex: string): number {
  const [r, g, b] = channels(hex);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Dark or light ink, whichever reads better on `background`: soft where that is enough, else pure, so always 4.5 or more. */
export function inkOn(background: string): string {
  const inks = ['#17130f', '#fffaf2', '#000000', '#ffffff'].map((ink) => ({
    ink,
    ratio: contrast(background, ink),
  }));
  const [soft, pure] = [inks.slice(0, 2), inks.slice(2)].map((pair) =>
    pair.reduce((a, b) => (b.ratio > a.ratio ? b : a)),
  );
  return (soft && soft.ratio >= 4.5 ? soft.ink : pure?.ink) ?? '#000000';
}

/** `amount` 0 gives `from`, 1 gives `to`. */
export function mix(from: string, to: string, amount: number): string {
  const target = channels(to);
  const mixed = channels(from).map((c, i) => Math.round(c + ((target[i] ?? c) - c) * amount));
  return `#${mixed.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
}
