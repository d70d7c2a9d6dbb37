import { z } from 'zod';

const sceneSchema = z.strictObject({
  kicker: z.string().trim().max(36).optional().describe('Small line above the headline.'),
  headline: z.string().trim().min(1).max(70).describe('What the scene says. Two to five words look best.'),
});

export const promoVideoSchema = z.strictObject({
  brandName: z.string().trim().min(1).max(28).describe('Name of the sender; the last scene builds it up.'),
  tagline: z.string().trim().max(80).describe('Line under the brand name in the last scene.'),
  scenes: z.array(sceneSchema).min(1).max(6).describe('The headline scenes, in order.'),
  palette: z.enum(['signal', 'orchard', 'midnight']).describe('Colours of scenes and shapes.'),
  sound: z.boolean().describe('Whether music and chime are heard.'),
  durationInSeconds: z
    .number()
    .min(3)
    .max(30)
    .optional()
    .describe('Length of the video. Default: what the number of scenes needs; six seconds for three.'),
});

export type PromoVideoProps = z.infer<typeof promoVideoSchema>;
export type PromoScene = z.infer<typeof sceneSchema>;

export const promoVideoDefaults: PromoVideoProps = {
  brandName: 'Rendermill',
  tagline: 'Every picture of your campaign, from one queue.',
  scenes: [
    { kicker: 'Write it in React', headline: 'Design it once' },
    { kicker: 'Squares, stories, skyscrapers', headline: 'Render every size' },
    { kicker: 'Stills, videos, whole campaigns', headline: 'Ship by lunch' },
  ],
  palette: 'signal',
  sound: true,
};
