import { AbsoluteFill, Easing, interpolate, spring, useCurrentFrame, useVideoConfig } from 'remotion';
import { Area } from '../shared/area.tsx';
import { canvasOf, mirrored, type Rect, type Shape } from '../shared/canvas.ts';
import { FitBox } from '../shared/fit-box.tsx';
import { DISPLAY, TEXT } from '../shared/fonts.ts';
import { directionOfText, languageOfText, leading, tracking } from '../shared/writing.ts';
import { MillMark } from './mill-mark.tsx';
import type { SceneColours } from './palettes.ts';
import { RisingWords } from './rising-words.tsx';

type OutroLayout = { mark: Rect; words: Rect; centred: boolean };

const BESIDE: OutroLayout = { mark: [0.07, 0.2, 0.3, 0.6], words: [0.42, 0.2, 0.52, 0.6], centred: false };

const LAYOUTS: Record<Shape, OutroLayout> = {
  wide: BESIDE,
  banner: { mark: [0.02, 0.12, 0.16, 0.76], words: [0.2, 0.08, 0.77, 0.84], centred: false },
  square: { mark: [0.27, 0.13, 0.46, 0.42], words: [0.08, 0.62, 0.84, 0.26], centred: true },
  tall: { mark: [0.2, 0.2, 0.6, 0.3], words: [0.08, 0.56, 0.84, 0.22], centred: true },
  skyscraper: { mark: [0.16, 0.2, 0.68, 0.22], words: [0.07, 0.5, 0.86, 0.3], centred: true },
};

type OutroProps = { brandName: string; tagline: string; colours: SceneColours };

/** The sails spin up into the sign, then the name and the tagline rise. */
export function Outro({ brandName, tagline, colours }: OutroProps) {
  const { width, height, fps } = useVideoConfig();
  const frame = useCurrentFrame();
  const { shape, unit } = canvasOf(width, height);
  const { mark, words, centred } = LAYOUTS[shape];
  const direction = directionOfText(brandName);
  const side = (rect: Rect) => (direction === 'rtl' ? mirrored(rect) : rect);
  const sail = (i: number) =>
    spring({ frame: frame - (0.12 + i * 0.08) * fps, fps, config: { damping: 13, stiffness: 110 } });
  const spin = interpolate(frame, [0, 1.1 * fps], [-200, 0], {
    easing: Easing.out(Easing.cubic),
    extrapolateRight: 'clamp',
  });
  const drift = Math.max(0, frame / fps - 0.9) * 3;
  const sizes = { brand: 170 * unit, tagline: Math.max(42 * unit, 11) };

  return (
    <AbsoluteFill
      dir={direction}
      lang={languageOfText(brandName + tagline)}
      style={{ backgroundColor: colours.ground, color: colours.ink }}
    >
      <Area rect={side(mark)}>
        <MillMark
          colours={colours.shapes}
          grown={[sail(0), sail(1), sail(2), sail(3)]}
          degrees={spin + drift}
        />
      </Area>
      <Area rect={side(words)} style={{ textAlign: centred ? 'center' : 'start' }}>
        <FitBox align={centred ? 'start' : 'center'} max={sizes} min={{ brand: 12, tagline: 8 }}>
          <div
            style={{
              font: `800 var(--brand)/${leading(brandName, 1.05)} ${DISPLAY}`,
              letterSpacing: tracking(brandName, -0.035),
              wordBreak: 'keep-all',
            }}
          >
            <RisingWords text={brandName} delayInSeconds={0.35} />
          </div>
          <div
            style={{
              font: `400 var(--tagline)/1.35 ${TEXT}`,
              marginTop: '0.5em',
              textWrap: 'balance',
              wordBreak: 'auto-phrase',
            }}
          >
            <RisingWords text={tagline} delayInSeconds={0.55} />
          </div>
        </FitBox>
      </Area>
    </AbsoluteFill>
  );
}
