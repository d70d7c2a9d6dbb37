import { AbsoluteFill, useCurrentFrame, useVideoConfig } from 'remotion';
import { Area } from '../shared/area.tsx';
import { canvasOf, mirrored, type Rect } from '../shared/canvas.ts';
import { inkOn } from '../shared/colour.ts';
import { FitBox } from '../shared/fit-box.tsx';
import { FontGate } from '../shared/font-gate.tsx';
import { SERIF, TEXT } from '../shared/fonts.ts';
import { Picture } from '../shared/picture.tsx';
import { type Direction, directionOfText, languageOfText, leading, tracking } from '../shared/writing.ts';
import { Glow, StillLife } from './lamp-scene.tsx';
import { HERO_LAYOUTS } from './layout.ts';
import { PALETTES, type Palette } from './palettes.ts';
import type { HeroAdProps } from './schema.ts';

/** A poster that breathes. Its first frame is the whole poster, and its last leads back to the first. */
export function HeroAd(props: HeroAdProps) {
  const { width, height, durationInFrames } = useVideoConfig();
  const { shape, small, unit } = canvasOf(width, height);
  const turn = (useCurrentFrame() / durationInFrames) * 2 * Math.PI;
  const breath = 0.5 + 0.5 * Math.cos(turn);
  const palette = PALETTES[props.palette];
  const layout = HERO_LAYOUTS[shape];
  const direction = directionOfText(props.headline);
  const side = direction === 'rtl' ? mirrored : (rect: typeof layout.art) => rect;
  const text = [props.headline, props.subline, props.callToAction, props.brandName].join('\n');

  return (
    <FontGate text={text}>
      <AbsoluteFill
        dir={direction}
        lang={languageOfText(text)}
        style={{ backgroundColor: palette.wall, color: palette.ink, overflow: 'hidden' }}
      >
        {props.image === undefined ? (
          <Scene
            palette={palette}
            accent={props.accentColor}
            art={side(layout.art)}
            table={layout.table}
            breath={breath}
            small={small}
          />
        ) : (
          <Area rect={side(layout.photo)} style={{ overflow: 'hidden' }}>
            <Picture source={props.image} style={{ transform: `scale(${1.04 - breath * 0.04})` }} />
          </Area>
        )}
        <Area rect={side(layout.head)}>
          <Head
            {...props}
            colours={palette}
            unit={unit}
            size={layout.headlineSize}
            align={layout.headAlign}
          />
        </Area>
        <Area rect={side(layout.aside)}>
          <Aside
            {...props}
            colours={palette}
            unit={unit}
            small={small}
            align={layout.asideAlign}
            direction={direction}
          />
        </Area>
      </AbsoluteFill>
    </FontGate>
  );
}

type SceneProps = {
  palette: Palette;
  accent: string;
  art: Rect;
  table: number;
  breath: number;
  small: boolean;
};

function Scene({ palette, accent, art, table, breath, small }: SceneProps) {
  const push = { transform: `scale(${1.015 - breath * 0.015})`, transformOrigin: '50% 94%' };
  return (
    <>
      <Area rect={art} style={push}>
        <Glow palette={palette} breath={breath} />
      </Area>
      <Table palette={palette} top={table} />
      <Area rect={art} style={push}>
        <StillLife palette={palette} accent={accent} breath={breath} small={small} />
      </Area>
    </>
  );
}

function Table({ palette, top }: { palette: Palette; top: number }) {
  return (
    <Area rect={[0, top, 1, 1 - top]} style={{ backgroundColor: palette.table }}>
      <div style={{ height: '32%', backgroundColor: palette.tableEdge }} />
    </Area>
  );
}

type Look = { colours: Palette; unit: number };

function Head(props: HeroAdProps & Look & { size: number; align: 'start' | 'center' }) {
  const { unit, size, align, colours, headline, brandName, accentColor } = props;
  return (
    <FitBox
      align={align}
      max={{ headline: size * unit, brand: Math.max(30 * unit, 11) }}
      min={{ headline: 12, brand: 9 }}
    >
      <div style={{ display: 'flex', alignItems: 'center', gap: '0.5em', font: `600 var(--brand) ${TEXT}` }}>
        <div
          style={{ width: '0.62em', height: '0.62em', borderRadius: '50%', backgroundColor: accentColor }}
        />
        <span style={{ color: colours.ink, letterSpacing: tracking(brandName, 0.01) }}>{brandName}</span>
      </div>
      <div
        style={{
          fontFamily: SERIF,
          // The serif has one weight; the scripts that it lacks are set bold beside it.
          fontWeight: 700,
          fontSynthesis: 'none',
          fontSize: 'var(--headline)',
          lineHeight: leading(headline, 1),
          letterSpacing: tracking(headline, -0.025),
          marginTop: align === 'center' ? '0.12em' : '0.24em',
          textWrap: 'balance',
          wordBreak: 'auto-phrase',
        }}
      >
        {headline}
      </div>
    </FitBox>
  );
}

type AsideProps = HeroAdProps &
  Look & { small: boolean; align: 'start' | 'center' | 'end'; direction: Direction };

function Aside({ unit, small, align, colours, subline, callToAction, accentColor, direction }: AsideProps) {
  const sizes = { subline: 33 * unit, button: Math.max(33 * unit, 14) };
  return (
    <FitBox align={align} max={sizes} min={{ subline: 8, button: 8 }}>
      {small || subline === '' ? null : (
        <p
          style={{
            margin: '0 0 1.1em',
            font: `400 var(--subline)/1.42 ${TEXT}`,
            color: colours.quiet,
            textWrap: 'pretty',
          }}
        >
          {subline}
        </p>
      )}
      <span
        style={{
          display: 'inline-flex',
          alignItems: 'center',
          gap: '0.6em',
          padding: small ? '0.55em 0.9em' : '0.72em 1.25em',
          borderRadius: '2em',
          backgroundColor: accentColor,
          color: inkOn(accentColor),
          font: `600 var(--button)/1.2 ${TEXT}`,
          whiteSpace: 'nowrap',
        }}
      >
        {callToAction}
        <Arrow flipped={direction === 'rtl'} />
      </span>
    </FitBox>
  );
}

function Arrow({ flipped }: { flipped: boolean }) {
  return (
    <svg
      viewBox="0 0 20 14"
      aria-hidden="true"
      style={{ width: '0.95em', flex: 'none', transform: flipped ? 'scaleX(-1)' : undefined }}
    >
      <path d="M0 7 H18 M12 1 L18 7 L12 13" fill="none" stroke="currentColor" strokeWidth={2.4} />
    </svg>
  );
}
