import { heroAdDefaults, heroAdSchema } from './hero-ad/schema.ts';
import { productCardDefaults, productCardSchema } from './product-card/schema.ts';
import { PROMO_FPS } from './promo-video/plan-scenes.ts';
import { promoVideoDefaults, promoVideoSchema } from './promo-video/schema.ts';

/** What each example composition is, apart from its picture. The card has no frames: it is a still. */
export const CATALOG = {
  heroAd: {
    id: 'example-hero-ad',
    width: 1080,
    height: 1080,
    fps: 30,
    durationInFrames: 150,
    schema: heroAdSchema,
    defaultProps: heroAdDefaults,
  },
  productCard: {
    id: 'product-card',
    width: 1080,
    height: 1080,
    schema: productCardSchema,
    defaultProps: productCardDefaults,
  },
  promoVideo: {
    id: 'promo-video',
    width: 1920,
    height: 1080,
    fps: PROMO_FPS,
    durationInFrames: 180,
    schema: promoVideoSchema,
    defaultProps: promoVideoDefaults,
  },
} as const;
