import { z } from 'zod';
import { hexColour } from '../shared/colour.ts';
import { pictureSource } from '../shared/picture-source.ts';

export const heroAdSchema = z.strictObject({
  headline: z.string().trim().min(1).max(90).describe('The one thing to say. Two to seven words look best.'),
  subline: z.string().trim().max(160).describe('One sentence under the headline; left out in small formats.'),
  callToAction: z.string().trim().min(1).max(32).describe('Text of the button.'),
  brandName: z.string().trim().min(1).max(32).describe('Name of the sender.'),
  palette: z.enum(['dusk', 'linen', 'fjord', 'moss']).describe('Colours of the scene: two dark, two light.'),
  accentColor: hexColour.describe('Colour of the button and of the lamp, as #rrggbb.'),
  image: pictureSource
    .optional()
    .describe('Replaces the drawn scene: an http(s) URL, or a file name in the public folder.'),
});

export type HeroAdProps = z.infer<typeof heroAdSchema>;

export const heroAdDefaults: HeroAdProps = {
  headline: 'Light that knows the hour',
  subline:
    'Bright for the first coffee, ember-soft for the last page. Aften follows the sun, so you can, too.',
  callToAction: 'Meet Aften',
  brandName: 'Solvik',
  palette: 'dusk',
  accentColor: '#f2603c',
};
