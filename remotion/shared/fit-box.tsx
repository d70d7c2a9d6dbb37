import { type CSSProperties, type ReactNode, useLayoutEffect, useRef } from 'react';

type Sizes = Record<string, number>;

const STEPS = 9;

/** A word that is too wide at the smallest size is broken, and then need not be that small. */
const LEAST_SHRINK_OF_BROKEN_WORDS = 0.75;

function applySizes(node: HTMLElement, max: Sizes, min: Sizes, shrink: number): void {
  for (const [name, largest] of Object.entries(max)) {
    const smallest = Math.min(min[name] ?? largest, largest);
    node.style.setProperty(`--${name}`, `${(largest + (smallest - largest) * shrink).toFixed(2)}px`);
  }
}

/**
 * Fills its parent and gives its children the largest type that fits. `max` and `min` name sizes in pixels, which
 * children use as `var(--name)`; all of them shrink together, so that the hierarchy stays, and a title with the wider
 * range gives way first. It measures real layout, therefore fonts must be loaded before it mounts (see FontGate).
 */
export function FitBox(props: {
  max: Sizes;
  min: Sizes;
  align?: 'start' | 'center' | 'end';
  children: ReactNode;
}) {
  const { max, min, align = 'start', children } = props;
  const outer = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const box = outer.current;
    const content = inner.current;
    if (!box || !content) return;
    const fits = (shrink: number) => {
      applySizes(box, max, min, shrink);
      return content.offsetHeight <= box.clientHeight && content.scrollWidth <= box.clientWidth;
    };
    content.style.overflowWrap = 'normal';
    if (fits(0)) return;
    if (!fits(1)) content.style.overflowWrap = 'anywhere';
    let [tooLarge, fitting] = [
      content.style.overflowWrap === 'anywhere' ? LEAST_SHRINK_OF_BROKEN_WORDS : 0,
      1,
    ];
    for (let step = 0; step < STEPS; step++) {
      const middle = (tooLarge + fitting) / 2;
      if (fits(middle)) fitting = middle;
      else tooLarge = middle;
    }
    applySizes(box, max, min, fitting);
  });

  const frame: CSSProperties = { width: '100%', height: '100%', display: 'flex', alignItems: align };
  return (
    <div ref={outer} style={frame}>
      <div ref={inner} style={{ width: '100%', minWidth: 0 }}>
        {children}
      </div>
    </div>
  );
}
