import type { CSSProperties } from 'react';
import { DISPLAY, TEXT } from '../shared/fonts.ts';
import { formatPrice, type PricePart, priceParts } from './price.ts';
import type { ProductCardProps } from './schema.ts';

const PART_STYLES: Record<PricePart['kind'], CSSProperties> = {
  amount: {},
  currency: { fontSize: '0.56em', fontWeight: 600 },
  fraction: { fontSize: '0.56em' },
};

/** The price, and what it was before. Reads `--price` and `--old` of its FitBox. */
export function Offer({ price, oldPrice, currency, locale, quiet }: ProductCardProps & { quiet: string }) {
  const reduced = oldPrice !== undefined && oldPrice > price;
  return (
    <div style={{ whiteSpace: 'nowrap' }}>
      {reduced ? (
        <div style={{ font: `500 var(--old)/1.3 ${TEXT}`, color: quiet }}>
          <s style={{ textDecorationThickness: '0.08em' }}>{formatPrice(oldPrice, currency, locale)}</s>
        </div>
      ) : null}
      <div style={{ font: `700 var(--price)/1.02 ${DISPLAY}`, letterSpacing: '-0.02em' }}>
        {priceParts(price, currency, locale).map((part, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a price never change their order
          <span key={i} style={PART_STYLES[part.kind]}>
            {part.text}
          </span>
        ))}
      </div>
    </div>
  );
}
