const SAIL = 'M0 0 V-48 A24 24 0 0 1 0 0 Z';

type MillMarkProps = {
  colours: readonly [string, string, string, string];
  /** How far the four sails have grown, 0 to 1. */
  grown?: readonly [number, number, number, number];
  degrees?: number;
};

/** Rendermill's sign: four sails around a hub. */
export function MillMark({ colours, grown = [1, 1, 1, 1], degrees = 0 }: MillMarkProps) {
  return (
    <svg
      viewBox="-50 -50 100 100"
      aria-hidden="true"
      style={{ width: '100%', height: '100%', display: 'block', overflow: 'visible' }}
    >
      <g transform={`rotate(${degrees})`}>
        {([0, 1, 2, 3] as const).map((sail) => (
          <path
            key={sail}
            d={SAIL}
            fill={colours[sail]}
            transform={`rotate(${sail * 90}) scale(${grown[sail]})`}
          />
        ))}
      </g>
    </svg>
  );
}
