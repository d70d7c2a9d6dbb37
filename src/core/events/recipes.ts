/** Recipes of a tenant that makes things. Source: the domain-event document. */
import { defineFamily } from './define-event.ts';
import { flag, foreignId, text } from './properties.ts';

const recipe = defineFamily(
  { family: 'recipes', retention: 'business', sources: ['server', 'worker'] },
  {
    recipe_id: foreignId.optional(),
    parent_recipe_id: foreignId.nullable().optional().describe('What it is a variation or a test of'),
    name: text,
    is_test: flag,
    is_variation: flag,
  },
);

const counted = { countsUse: true };

export const recipeEvents = {
  recipe_created: recipe('A recipe was made, of whichever kind.', {}, counted),
  recipe_variation_created: recipe('A variation of a recipe was made.', {}, counted),
  recipe_test_created: recipe('A recipe was made to be tried out.', {}, counted),
  recipe_updated: recipe('A recipe was changed.', {}, counted),
  recipe_deleted: recipe('A recipe was deleted.', {}, counted),
};
