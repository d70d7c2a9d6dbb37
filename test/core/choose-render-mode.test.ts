import { expect, test } from 'vitest';
import { chooseRenderMode, type RenderModes } from '../../src/core/choose-render-mode.ts';
import type { RenderMode } from '../../src/core/exports.ts';

const local: RenderModes = { default: 'local', available: ['local'] };
const lambda: RenderModes = { default: 'lambda', available: ['local', 'lambda'] };

test.each([
  [local, undefined, 'local'],
  [local, 'local', 'local'],
  [lambda, undefined, 'lambda'],
  [lambda, 'local', 'local'],
  [{ ...lambda, default: 'local' }, 'lambda', 'lambda'],
] satisfies [RenderModes, RenderMode | undefined, RenderMode][])(
  'of %j, asked for %s: %s',
  (modes, asked, chosen) => {
    expect(chooseRenderMode(modes, asked)).toBe(chosen);
  },
);

test('a mode that is not set up is refused, and the refusal says what to set', () => {
  expect(() => chooseRenderMode(local, 'lambda')).toThrow(
    expect.objectContaining({
      code: 'render_mode_unavailable',
      message: expect.stringMatching(/LAMBDA_FUNCTION.*ask for local/),
      details: { renderMode: 'lambda', available: ['local'] },
    }),
  );
});
