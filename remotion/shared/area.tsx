import type { CSSProperties, ReactNode } from 'react';
import type { Rect } from './canvas.ts';

/** Places its children in a rectangle given in fractions of the nearest positioned parent. */
export function Area({ rect, style, children }: { rect: Rect; style?: CSSProperties; children?: ReactNode }) {
  const [x, y, width, height] = rect;
  const place: CSSProperties = {
    position: 'absolute',
    left: `${x * 100}%`,
    top: `${y * 100}%`,
    width: `${width * 100}%`,
    height: `${height * 100}%`,
  };
  return <div style={{ ...place, ...style }}>{children}</div>;
}
