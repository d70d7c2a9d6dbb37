import { Easing, interpolate, useCurrentFrame, useVideoConfig } from 'remotion';

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Words rise one after the other from behind their line. Languages without spaces rise as a whole. */
export function RisingWords({ text, delayInSeconds = 0 }: { text: string; delayInSeconds?: number }) {
  const { fps } = useVideoConfig();
  const unspaced = UNSPACED.test(text);
  const words = unspaced ? [text] : text.split(/\s+/);
  return words.map((word, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a word's place in the headline is its identity
    <span key={i}>
      <span
        style={{
          display: unspaced ? 'block' : 'inline-block',
          verticalAlign: 'bottom',
          // The line hides what is below it; tall room for descenders, and nothing cut off at the sides.
          paddingBottom: '0.2em',
          marginBottom: '-0.2em',
          clipPath: 'inset(-0.1em -0.2em 0)',
        }}
      >
        <Rising delay={Math.round((delayInSeconds + i * 0.09) * fps)}>{word}</Rising>
      </span>{' '}
    </span>
  ));
}

function Rising({ delay, children }: { delay: number; children: string }) {
  const { fps } = useVideoConfig();
  const risen = interpolate(useCurrentFrame() - delay, [0, 0.5 * fps], [0, 1], {
    easing: Easing.out(Easing.exp),
    extrapolateLeft: 'clamp',
    extrapolateRight: 'clamp',
  });
  return <span style={{ display: 'block', transform: `translateY(${(1 - risen) * 130}%)` }}>{children}</span>;
}
