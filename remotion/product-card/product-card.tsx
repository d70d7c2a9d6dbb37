import { AbsoluteFill, useVideoConfig } from 'remotion';
import { Area } from '../shared/area.tsx';
import { type Canvas, canvasOf, mirrored, type Rect } from '../shared/canvas.ts';
import { mix } from '../shared/colour.ts';
import { FitBox } from '../shared/fit-box.tsx';
import { FontGate } from '../shared/font-gate.tsx';
import { DISPLAY, TEXT } from '../shared/fonts.ts';
import { Picture } from '../shared/picture.tsx';
import { directionOfLocale, leading, tracking } from '../shared/writing.ts';
import { Badge } from './badge.tsx';
import { CARD_LAYOUTS, SMALL_SQUARE } from './layout.ts';
import { Offer } from './offer.tsx';
import { formatCount, formatDiscount, formatPrice, formatRating } from './price.ts';
import { Radio } from './radio.tsx';
import type { ProductCardProps } from './schema.ts';
import { Stars } from './stars.tsx';

const PAPER = '#fbf8f2';
const INK = '#1c1813';
const QUIET = '#6b6257';
const STICKER = '#d9391f';

/** A product and its price, in the direction and with the number formats of its locale. */
export function ProductCard(props: ProductCardProps) {
  const { width, height } = useVideoConfig();
  const canvas = canvasOf(width, height);
  const layout = canvas.small && canvas.shape === 'square' ? SMALL_SQUARE : CARD_LAYOUTS[canvas.shape];
  const direction = directionOfLocale(props.locale);
  const side = (rect: Rect) => (direction === 'rtl' ? mirrored(rect) : rect);
  const badge = props.badge ?? formatDiscount(props.price, props.oldPrice, props.locale);
  const badgeSize = (layout.badge?.size ?? 0) * Math.min(width, height);
  const price = { price: layout.priceSize * canvas.unit, old: Math.max(40 * canvas.unit, 12) };

  return (
    <FontGate text={textOf(props, badge)}>
      <AbsoluteFill
        dir={direction}
        lang={props.locale}
        style={{ backgroundColor: PAPER, color: INK, overflow: 'hidden' }}
      >
        <Area rect={side(layout.panel)} style={{ backgroundColor: props.accentColor, overflow: 'hidden' }}>
          {props.image === undefined ? (
            <Drawing accent={props.accentColor} close={canvas.small} mirror={direction === 'rtl'} />
          ) : (
            <Picture source={props.image} />
          )}
        </Area>
        <Area rect={side(layout.words)}>
          <Words {...props} canvas={canvas} nameSize={layout.nameSize} align={layout.wordsAlign} />
        </Area>
        <Area rect={side(layout.offer)} style={{ textAlign: layout.offerAlign }}>
          <FitBox align={canvas.shape === 'banner' ? 'center' : 'end'} max={price} min={{ price: 9, old: 8 }}>
            <Offer {...props} quiet={QUIET} />
          </FitBox>
        </Area>
        {layout.badge && badge ? (
          <Area rect={side([layout.badge.x, layout.badge.y, badgeSize / width, badgeSize / height])}>
            <Badge text={badge} size={badgeSize} colour={STICKER} />
          </Area>
        ) : null}
      </AbsoluteFill>
    </FontGate>
  );
}

function Drawing({ accent, close, mirror }: { accent: string; close: boolean; mirror: boolean }) {
  return (
    <Area rect={close ? [0.06, 0.26, 0.88, 0.66] : [0.1, 0.15, 0.8, 0.75]}>
      <Radio accent={accent} mirror={mirror} />
    </Area>
  );
}

type WordsProps = ProductCardProps & { canvas: Canvas; nameSize: number; align: 'start' | 'center' };

function Words({ canvas, nameSize, align, productName, description, rating, locale }: WordsProps) {
  const { unit, small } = canvas;
  const sizes = { name: nameSize * unit, body: 31 * unit, rating: Math.max(28 * unit, 11) };
  return (
    <FitBox align={align} max={sizes} min={{ name: 10, body: 7, rating: 8 }}>
      {rating ? <Rating rating={rating} locale={locale} brief={small} /> : null}
      <div
        style={{
          font: `700 var(--name)/${leading(productName, 1.06)} ${DISPLAY}`,
          letterSpacing: tracking(productName, -0.02),
          textWrap: 'balance',
          wordBreak: 'auto-phrase',
        }}
      >
        {productName}
      </div>
      {small || description === '' ? null : (
        <p
          style={{
            margin: '0.7em 0 0',
            font: `400 var(--body)/1.45 ${TEXT}`,
            color: QUIET,
            textWrap: 'pretty',
          }}
        >
          {description}
        </p>
      )}
    </FitBox>
  );
}

type RatingProps = { rating: NonNullable<ProductCardProps['rating']>; locale: string; brief: boolean };

function Rating({ rating, locale, brief }: RatingProps) {
  const row = {
    display: 'flex',
    alignItems: 'center',
    gap: '0.4em',
    marginBottom: '0.55em',
    whiteSpace: 'nowrap',
  } as const;
  return (
    <div style={{ ...row, font: `600 var(--rating)/1.2 ${TEXT}` }}>
      <Stars value={rating.value} colour="#e39a0b" empty={mix(PAPER, INK, 0.16)} />
      <span>{formatRating(rating.value, locale)}</span>
      {brief || rating.count === undefined ? null : (
        <span style={{ color: QUIET, fontWeight: 400 }}>({formatCount(rating.count, locale)})</span>
      )}
    </div>
  );
}

/** Everything that is written on the card, for choosing the fonts. */
function textOf(props: ProductCardProps, badge: string | null): string {
  const { productName, description, price, currency, locale, rating } = props;
  const numbers = rating ? formatRating(rating.value, locale) : '';
  return [productName, description, badge ?? '', formatPrice(price, currency, locale), numbers].join('\n');
}
