import { AbsoluteFill, useVideoConfig } from 'remotion';
import { Area } from '../shared/area.tsx';
import { canvasOf, mirrored, type Rect } from '../shared/canvas.ts';
import { FitBox } from '../shared/fit-box.tsx';
import { DISPLAY, TEXT } from '../shared/fonts.ts';
import { directionOfText, languageOfText, leading, tracking } from '../shared/writing.ts';
import { PROMO_LAYOUTS } from './layout.ts';
import { MillMark } from './mill-mark.tsx';
import type { SceneColours } from './palettes.ts';
import { RisingWords } from './rising-words.tsx';
import type { PromoScene } from './schema.ts';
import { Tiles } from './tiles.tsx';

type HeadlineSceneProps = {
  scene: PromoScene;
  number: number;
  of: number;
  brandName: string;
  colours: SceneColours;
};

/** One headline beside a field of turning shapes. */
export function HeadlineScene({ scene, number, of, brandName, colours }: HeadlineSceneProps) {
  const { width, height } = useVideoConfig();
  const { shape, small, unit } = canvasOf(width, height);
  const layout = PROMO_LAYOUTS[shape];
  const direction = directionOfText(scene.headline);
  const side = (rect: Rect) => (direction === 'rtl' ? mirrored(rect) : rect);
  const sizes = { headline: layout.headlineSize * unit, kicker: Math.max(30 * unit, 10) };

  return (
    <AbsoluteFill
      dir={direction}
      lang={languageOfText(scene.headline)}
      style={{ backgroundColor: colours.ground, color: colours.ink }}
    >
      <Area rect={side(layout.tiles)} style={{ overflow: 'hidden' }}>
        <Tiles {...layout.grid} colours={colours} seed={`${number}-${shape}`} />
      </Area>
      <Area rect={side(layout.words)}>
        <FitBox
          align={shape === 'wide' || shape === 'banner' ? 'center' : 'start'}
          max={sizes}
          min={{ headline: 11, kicker: 8 }}
        >
          {scene.kicker && !(small && shape === 'banner') ? (
            <div style={{ font: `600 var(--kicker)/1.3 ${TEXT}`, marginBottom: '0.9em' }}>
              <RisingWords text={scene.kicker} delayInSeconds={0.1} />
            </div>
          ) : null}
          <div
            style={{
              font: `800 var(--headline)/${leading(scene.headline, 0.98)} ${DISPLAY}`,
              letterSpacing: tracking(scene.headline, -0.03),
              textWrap: 'balance',
              wordBreak: 'auto-phrase',
            }}
          >
            <RisingWords text={scene.headline} delayInSeconds={0.16} />
          </div>
        </FitBox>
      </Area>
      {layout.footer && !small ? (
        <Area rect={side(layout.footer)}>
          <Footer brandName={brandName} number={number} of={of} unit={unit} colours={colours} />
        </Area>
      ) : null}
    </AbsoluteFill>
  );
}

type FooterProps = { brandName: string; number: number; of: number; unit: number; colours: SceneColours };

function Footer({ brandName, number, of, unit, colours }: FooterProps) {
  const size = 26 * unit;
  const row = {
    display: 'flex',
    alignItems: 'center',
    gap: size * 0.5,
    height: '100%',
    whiteSpace: 'nowrap',
  } as const;
  return (
    <div style={{ ...row, font: `600 ${size}px/1 ${TEXT}` }}>
      <div style={{ width: size * 1.3, height: size * 1.3 }}>
        <MillMark colours={[colours.ink, colours.ink, colours.ink, colours.ink]} />
      </div>
      <span>{brandName}</span>
      <span style={{ marginInlineStart: 'auto', fontVariantNumeric: 'tabular-nums' }}>
        {number}/{of}
      </span>
    </div>
  );
}
