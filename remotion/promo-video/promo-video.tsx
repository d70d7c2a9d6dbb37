import { AbsoluteFill, type CalculateMetadataFunction, Sequence, useVideoConfig } from 'remotion';
import { FontGate } from '../shared/font-gate.tsx';
import { HeadlineScene } from './headline-scene.tsx';
import { Outro } from './outro.tsx';
import { PROMO_PALETTES } from './palettes.ts';
import { PROMO_FPS, planScenes, promoDurationInFrames } from './plan-scenes.ts';
import type { PromoVideoProps } from './schema.ts';
import { Soundtrack } from './soundtrack.tsx';
import { Wipe, type WipeFrom } from './wipe.tsx';

const WIPES: readonly WipeFrom[] = ['end', 'bottom', 'start'];

/** Headline scenes that wipe over one another, then the brand, with music. */
export function PromoVideo({ scenes, brandName, tagline, palette, sound }: PromoVideoProps) {
  const { durationInFrames, fps } = useVideoConfig();
  const plan = planScenes(durationInFrames, fps, scenes.length);
  const colours = PROMO_PALETTES[palette];
  const text = [
    brandName,
    tagline,
    ...scenes.flatMap(({ kicker, headline }) => [kicker ?? '', headline]),
  ].join('\n');

  return (
    <FontGate text={text}>
      <AbsoluteFill style={{ backgroundColor: colours.scenes[0].ground, overflow: 'hidden' }}>
        {scenes.map((scene, i) => {
          const look = colours.scenes[i % 3] ?? colours.scenes[0];
          const from = plan.scenes[i]?.from ?? 0;
          return (
            // A scene stays mounted under the next one until that has wiped over it.
            // biome-ignore lint/suspicious/noArrayIndexKey: a scene's place in the video is its identity
            <Sequence key={i} from={from} durationInFrames={(plan.scenes[i]?.durationInFrames ?? 1) + fps}>
              <Wipe from={i === 0 ? null : (WIPES[(i - 1) % WIPES.length] ?? null)} bar={look.shapes[2]}>
                <HeadlineScene
                  scene={scene}
                  number={i + 1}
                  of={scenes.length}
                  brandName={brandName}
                  colours={look}
                />
              </Wipe>
            </Sequence>
          );
        })}
        <Sequence from={plan.outro.from}>
          <Wipe from="bottom" bar={colours.outro.shapes[1]}>
            <Outro brandName={brandName} tagline={tagline} colours={colours.outro} />
          </Wipe>
        </Sequence>
      </AbsoluteFill>
      {sound ? <Soundtrack outroFrom={plan.outro.from} /> : null}
    </FontGate>
  );
}

export const promoMetadata: CalculateMetadataFunction<PromoVideoProps> = ({ props }) => ({
  durationInFrames: promoDurationInFrames(props.scenes.length, PROMO_FPS, props.durationInSeconds),
});
