import { inkOn } from '../shared/colour.ts';
import { FitBox } from '../shared/fit-box.tsx';
import { DISPLAY } from '../shared/fonts.ts';

/** A round sticker, `size` pixels wide, that fits its text. */
export function Badge({ text, size, colour }: { text: string; size: number; colour: string }) {
  return (
    <div
      style={{
        width: size,
        height: size,
        borderRadius: '50%',
        backgroundColor: colour,
        color: inkOn(colour),
        padding: size * 0.13,
        boxSizing: 'border-box',
        textAlign: 'center',
        transform: 'rotate(-8deg)',
      }}
    >
      <FitBox align="center" max={{ badge: size * 0.34 }} min={{ badge: 6 }}>
        <div style={{ font: `800 var(--badge)/1.05 ${DISPLAY}` }}>{text}</div>
      </FitBox>
    </div>
  );
}
