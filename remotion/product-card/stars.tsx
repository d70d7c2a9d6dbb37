const STAR = 'M10 1.2 L12.7 7 L19 7.7 L14.3 12 L15.6 18.2 L10 15 L4.4 18.2 L5.7 12 L1 7.7 L7.3 7 Z';

/** Five stars, filled to `value` from the reading side; 1 em high. */
export function Stars({ value, colour, empty }: { value: number; colour: string; empty: string }) {
  return (
    <span style={{ display: 'inline-flex', gap: '0.1em', flex: 'none' }}>
      {[0, 1, 2, 3, 4].map((star) => (
        <Star key={star} filled={Math.min(1, Math.max(0, value - star))} colour={colour} empty={empty} />
      ))}
    </span>
  );
}

function Star({ filled, colour, empty }: { filled: number; colour: string; empty: string }) {
  return (
    <span style={{ position: 'relative', width: '1em', height: '1em' }}>
      <Shape colour={empty} />
      <span
        style={{
          position: 'absolute',
          top: 0,
          insetInlineStart: 0,
          width: `${filled * 100}%`,
          height: '100%',
          overflow: 'hidden',
        }}
      >
        <span style={{ position: 'absolute', top: 0, insetInlineStart: 0 }}>
          <Shape colour={colour} />
        </span>
      </span>
    </span>
  );
}

function Shape({ colour }: { colour: string }) {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" style={{ width: '1em', height: '1em', display: 'block' }}>
      <path d={STAR} fill={colour} />
    </svg>
  );
}
