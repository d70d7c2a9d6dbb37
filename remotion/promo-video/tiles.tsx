import { random, spring, useCurrentFrame, useVideoConfig } from 'remotion';
import type { SceneColours } from './palettes.ts';

/** Shapes of one tile, 100 x 100; a quarter turn makes another pattern of each. */
const SHAPES = [
  'M0 0 H100 A100 100 0 0 1 0 100 Z',
  'M0 0 A100 100 0 0 1 100 100 A100 100 0 0 1 0 0 Z',
  'M0 0 H100 A50 50 0 0 1 0 0 Z M0 50 H100 A50 50 0 0 1 0 50 Z',
  'M50 0 A50 50 0 0 1 50 100 A50 50 0 0 1 50 0 Z',
  'M0 0 L100 100 H0 Z',
  'M0 100 A100 100 0 0 1 100 0 V50 A50 50 0 0 0 50 100 Z',
] as const;

export const BEAT_IN_SECONDS = 2 / 3;

type TilesProps = { columns: number; rows: number; colours: SceneColours; seed: string };

/** A field of shapes, complete from its first frame, that turns: once at the start, then on the beat of the music. */
export function Tiles({ columns, rows, colours, seed }: TilesProps) {
  const cells = Array.from({ length: columns * rows }, (_, i) => ({
    column: i % columns,
    row: Math.floor(i / columns),
  }));
  return (
    <svg
      viewBox={`0 0 ${columns * 100} ${rows * 100}`}
      preserveAspectRatio="xMaxYMax slice"
      aria-hidden="true"
      style={{ width: '100%', height: '100%', display: 'block' }}
    >
      {cells.map(({ column, row }) => (
        <Tile key={`${column}-${row}`} column={column} row={row} colours={colours} seed={seed} />
      ))}
    </svg>
  );
}

function Tile({
  column,
  row,
  colours,
  seed,
}: {
  column: number;
  row: number;
  colours: SceneColours;
  seed: string;
}) {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();
  const chance = (what: string) => random(`${seed}-${column}-${row}-${what}`);
  const pick = Math.floor(chance('colour') * 4);
  const ground = colours.shapes[(pick + 1 + Math.floor(chance('ground') * 3)) % 4];
  const shape = SHAPES[Math.floor(chance('shape') * SHAPES.length)];
  const arrived = spring({
    frame: frame - (column + row) * 1.5,
    fps,
    config: { damping: 15, stiffness: 90 },
  });
  const turns = Math.floor(chance('turn') * 4) + arrived + quarterTurns(frame, fps, chance('phase'));
  return (
    <g transform={`translate(${column * 100 + 50} ${row * 100 + 50})`}>
      {chance('filled') < 0.62 ? (
        <rect x={-50.3} y={-50.3} width={100.6} height={100.6} fill={ground} />
      ) : null}
      <path d={shape} fill={colours.shapes[pick]} transform={`rotate(${turns * 90}) translate(-50 -50)`} />
    </g>
  );
}

/** Quarter turns made so far: one on every second beat, half of the tiles on the even ones. */
function quarterTurns(frame: number, fps: number, phase: number): number {
  const beat = BEAT_IN_SECONDS * fps;
  const first = phase < 0.5 ? 1 : 2;
  const beats = Math.floor(frame / beat);
  let turns = 0;
  for (let at = first; at <= beats; at += 2) {
    turns += spring({
      frame: frame - at * beat - phase * 3,
      fps,
      config: { damping: 14, stiffness: 140, mass: 0.7 },
    });
  }
  return turns;
}
