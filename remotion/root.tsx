import { Composition, Still } from 'remotion';
import { CATALOG } from './catalog.ts';
import { HeroAd } from './hero-ad/hero-ad.tsx';
import { ProductCard } from './product-card/product-card.tsx';
import { PromoVideo, promoMetadata } from './promo-video/promo-video.tsx';

export function Root() {
  return (
    <>
      <Composition {...CATALOG.heroAd} component={HeroAd} />
      <Still {...CATALOG.productCard} component={ProductCard} />
      <Composition {...CATALOG.promoVideo} component={PromoVideo} calculateMetadata={promoMetadata} />
    </>
  );
}
