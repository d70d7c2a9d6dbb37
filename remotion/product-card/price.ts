export type PricePart = { kind: 'currency' | 'amount' | 'fraction'; text: string };

/**
 * A price as its locale writes it, cut into the parts that are set in different sizes; joined, they are the whole
 * text. Round prices lose their zeros: "€129", not "€129.00".
 */
export function priceParts(price: number, currency: string, locale: string): PricePart[] {
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    trailingZeroDisplay: 'stripIfInteger',
  });
  return format.formatToParts(price).map(({ type, value }) => {
    if (type === 'currency') return { kind: 'currency', text: value };
    return { kind: type === 'fraction' || type === 'decimal' ? 'fraction' : 'amount', text: value };
  });
}

export function formatPrice(price: number, currency: string, locale: string): string {
  return priceParts(price, currency, locale)
    .map((part) => part.text)
    .join('');
}

/** "−19%" as the locale writes it; null when nothing, or less than one percent, was taken off. */
export function formatDiscount(price: number, oldPrice: number | undefined, locale: string): string | null {
  if (oldPrice === undefined || oldPrice <= price) return null;
  const off = Math.floor(((oldPrice - price) / oldPrice) * 100 + 1e-9) / 100;
  if (off < 0.01) return null;
  const text = new Intl.NumberFormat(locale, { style: 'percent' }).format(-off);
  return text.replace('-', '\u2212');
}

export function formatRating(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
}

export function formatCount(count: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(count);
}
