import { mix } from '../shared/colour.ts';

const GRILLE = Array.from({ length: 121 }, (_, i) => ({ column: i % 11, row: Math.floor(i / 11) }));
const TICKS = Array.from({ length: 23 }, (_, i) => -130 + i * (260 / 22));

const SHELL = '#f6f1e7';
const SHADE = '#d9d0bf';
const DARK = '#24201b';

/** A pocket radio, 640 x 560, in the spirit of 1958; mirrored in right-to-left layouts, away from the sticker. */
export function Radio({ accent, mirror }: { accent: string; mirror: boolean }) {
  return (
    <svg
      viewBox="0 0 640 560"
      style={{
        width: '100%',
        height: '100%',
        overflow: 'visible',
        transform: mirror ? 'scaleX(-1)' : undefined,
      }}
      role="img"
      aria-label="A radio"
    >
      <defs>
        <filter id="soft" x="-30%" y="-200%" width="160%" height="500%">
          <feGaussianBlur stdDeviation="16" />
        </filter>
        <linearGradient id="shell" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#fffdf8" />
          <stop offset="0.12" stopColor={SHELL} />
          <stop offset="1" stopColor="#ece4d5" />
        </linearGradient>
      </defs>
      <circle cx={320} cy={300} r={372} fill={mix(accent, '#ffffff', 0.2)} />
      <ellipse
        cx={330}
        cy={500}
        rx={270}
        ry={20}
        fill={mix(accent, '#1b0f00', 0.65)}
        opacity={0.75}
        filter="url(#soft)"
      />
      <path d="M506 116 L600 -70" stroke={DARK} strokeWidth={6} strokeLinecap="round" />
      <circle cx={602} cy={-74} r={9} fill={DARK} />
      <path
        d="M150 126 C150 18 300 18 320 18 C340 18 470 18 490 126"
        fill="none"
        stroke={mix(accent, '#5a2410', 0.72)}
        strokeWidth={22}
      />
      <rect x={70} y={112} width={500} height={388} rx={46} fill={SHADE} />
      <rect x={70} y={112} width={500} height={376} rx={44} fill="url(#shell)" />
      <rect x={88} y={130} width={464} height={340} rx={30} fill="none" stroke={SHADE} strokeWidth={2.5} />
      {GRILLE.filter(({ column, row }) => Math.hypot(column - 5, row - 5) <= 5.3).map(({ column, row }) => (
        <circle key={`${column}-${row}`} cx={128 + column * 19.6} cy={202 + row * 19.6} r={5.6} fill={DARK} />
      ))}
      <Dial accent={accent} />
    </svg>
  );
}

function Dial({ accent }: { accent: string }) {
  const knob = mix(accent, '#d7381e', 0.78);
  return (
    <g>
      <rect x={366} y={164} width={150} height={34} rx={8} fill={DARK} />
      <path d="M378 181 H504" stroke="#f6f1e7" strokeWidth={2} strokeDasharray="2 8" />
      <rect x={448} y={168} width={4} height={26} fill={knob} />
      <circle cx={441} cy={324} r={96} fill={SHADE} />
      <circle cx={441} cy={319} r={94} fill="#fffdf8" />
      {TICKS.map((angle, i) => (
        <path
          key={angle}
          d={i % 2 === 0 ? 'M441 236 V250' : 'M441 236 V243'}
          stroke={DARK}
          strokeWidth={3}
          transform={`rotate(${angle} 441 319)`}
        />
      ))}
      <circle cx={441} cy={325} r={58} fill={mix(knob, '#000000', 0.3)} />
      <circle cx={441} cy={319} r={57} fill={knob} />
      <path
        d="M441 270 V296"
        stroke="#fffdf8"
        strokeWidth={7}
        strokeLinecap="round"
        transform="rotate(38 441 319)"
      />
      <circle cx={378} cy={440} r={8} fill={knob} />
      <path d="M404 440 H510" stroke={SHADE} strokeWidth={6} strokeLinecap="round" />
    </g>
  );
}
