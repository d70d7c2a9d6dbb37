import { inkOn, mix } from '../shared/colour.ts';
import type { Palette } from './palettes.ts';

const RING_RADII = [560, 430, 310, 205] as const;

/** The rings of light behind the lamp, in the same drawing as the still life. `breath` (0 to 1) is their strength. */
export function Glow({ palette, breath }: { palette: Palette; breath: number }) {
  return (
    <svg viewBox="0 0 600 640" preserveAspectRatio="xMidYMax meet" style={FILL} aria-hidden="true">
      {RING_RADII.map((radius, i) => (
        <circle
          key={radius}
          cx={330}
          cy={248}
          r={radius * (1 - (1 - breath) * (0.24 - i * 0.04))}
          fill={palette.glow[i]}
        />
      ))}
    </svg>
  );
}

/** A table lamp with books and a vase, in a 600 x 640 drawing; everything stands on y = 600. */
export function StillLife(props: { palette: Palette; accent: string; breath: number; small: boolean }) {
  const { palette, accent, breath, small } = props;
  return (
    <svg
      viewBox="0 0 600 640"
      preserveAspectRatio="xMidYMax meet"
      style={FILL}
      role="img"
      aria-label="A table lamp"
    >
      {small ? null : <Books palette={palette} />}
      {small ? null : <Vase palette={palette} />}
      <Lamp accent={accent} breath={breath} />
    </svg>
  );
}

const FILL = { width: '100%', height: '100%', overflow: 'visible', display: 'block' } as const;

function Lamp({ accent, breath }: { accent: string; breath: number }) {
  const shade = mix(accent, '#1a0b10', 0.3);
  const lit = mix(accent, '#fff3d6', 0.3);
  const glow = 0.3 + 0.7 * breath;
  return (
    <g>
      <defs>
        <linearGradient id="cone" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#ffe9b8" stopOpacity={0.6 * glow} />
          <stop offset="1" stopColor="#ffe9b8" stopOpacity={0.05} />
        </linearGradient>
        <clipPath id="dome">
          <path d={DOME} />
        </clipPath>
      </defs>
      <ellipse cx={330} cy={606} rx={285} ry={19} fill="#ffdf9e" opacity={0.34 * glow} />
      <path d="M168 276 L70 604 H590 L492 276 Z" fill="url(#cone)" />
      <ellipse cx={334} cy={607} rx={116} ry={10} fill="#1a0b10" opacity={0.35} />
      <rect x={315} y={276} width={30} height={300} fill={shade} />
      <rect x={315} y={276} width={11} height={300} fill={lit} />
      <path d="M226 604 C226 574 270 560 330 560 C390 560 434 574 434 604 Z" fill={accent} />
      <path d="M330 560 C390 560 434 574 434 604 H376 C376 580 360 564 330 560 Z" fill={shade} />
      <ellipse cx={330} cy={276} rx={186} ry={25} fill="#fff0c4" opacity={glow} />
      <path d={DOME} fill={accent} />
      <g clipPath="url(#dome)">
        <path d="M366 40 C470 120 470 220 420 300 H560 V40 Z" fill={shade} opacity={0.75} />
        <path
          d="M186 236 C196 166 238 116 296 98"
          fill="none"
          stroke={lit}
          strokeWidth={15}
          strokeLinecap="round"
        />
        <path d="M140 262 C240 290 420 290 520 262 V290 H140 Z" fill="#ffe4ac" opacity={0.38 * glow} />
      </g>
      <circle cx={330} cy={66} r={11} fill={shade} />
    </g>
  );
}

const DOME = 'M144 276 C144 146 226 68 330 68 C434 68 516 146 516 276 C462 296 198 296 144 276 Z';

function Books({ palette }: { palette: Palette }) {
  const [gold, plum, paper] = palette.objects;
  return (
    <g>
      <ellipse cx={112} cy={606} rx={128} ry={8} fill="#000" opacity={0.22} />
      <rect x={2} y={570} width={214} height={34} rx={4} fill={plum} />
      <rect x={26} y={570} width={7} height={34} fill={gold} />
      <rect x={24} y={540} width={176} height={30} rx={4} fill={gold} />
      <rect x={24} y={545} width={26} height={20} fill={paper} />
      <rect x={162} y={540} width={6} height={30} fill={plum} />
      <path d="M66 486 H138 V512 C138 530 124 540 102 540 C80 540 66 530 66 512 Z" fill={paper} />
      <path
        d="M118 486 H138 V512 C138 530 124 540 106 540 C116 532 118 522 118 508 Z"
        fill={inkOn(paper)}
        opacity={0.14}
      />
      <path d="M138 494 C160 490 160 522 134 520" fill="none" stroke={paper} strokeWidth={8} />
    </g>
  );
}

const LEAVES = [
  [548, 356, -36],
  [590, 322, 34],
  [538, 300, -48],
  [592, 262, 28],
  [548, 238, -30],
  [578, 206, 12],
] as const;

function Vase({ palette }: { palette: Palette }) {
  const [gold, plum, paper] = palette.objects;
  const leaf = mix(plum, gold, 0.25);
  return (
    <g>
      <ellipse cx={546} cy={606} rx={62} ry={7} fill="#000" opacity={0.22} />
      <path d="M548 470 C556 400 572 300 570 214" fill="none" stroke={leaf} strokeWidth={5} />
      {LEAVES.map(([x, y, turn]) => (
        <ellipse key={y} cx={x} cy={y} rx={13} ry={29} fill={leaf} transform={`rotate(${turn} ${x} ${y})`} />
      ))}
      <path
        d="M532 462 H566 V494 C596 508 602 540 596 566 C592 590 578 604 549 604 C520 604 506 590 502 566 C496 540 502 508 532 494 Z"
        fill={paper}
      />
      <path
        d="M556 462 H566 V494 C596 508 602 540 596 566 C592 590 578 604 549 604 C578 588 584 520 556 500 Z"
        fill={plum}
        opacity={0.32}
      />
    </g>
  );
}
