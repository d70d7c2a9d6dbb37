import { describe, expect, test } from 'vitest';
import {
  assertRetryMode,
  chooseRenderMode,
  modesOf,
  type RenderModeGrants,
  type RenderModes,
} from '../../src/core/choose-render-mode.ts';
import type { RenderMode } from '../../src/core/exports.ts';
import { codeOf } from '../support/factories.ts';

const local: RenderModes = { default: 'local', available: ['local'] };
const both: RenderModes = { default: 'local', available: ['local', 'lambda'] };
const lambda: RenderModes = { default: 'lambda', available: ['local', 'lambda'] };
const unavailable = 'render_mode_unavailable';
const forbidden = 'render_mode_forbidden';

const outcome = (work: () => RenderMode | undefined) => {
  try {
    return work();
  } catch (error) {
    return codeOf(error);
  }
};

describe('the mode of a request', () => {
  test.each([
    [local, {}, undefined, 'local'],
    [local, {}, 'local', 'local'],
    [local, {}, 'lambda', unavailable],
    [local, { lambda: true }, 'lambda', unavailable],
    [both, {}, undefined, 'local'],
    [both, {}, 'lambda', forbidden],
    [both, { lambda: false }, 'lambda', forbidden],
    [both, { lambda: true }, 'lambda', 'lambda'],
    [both, { lambda: true }, undefined, 'local'],
    [both, { local: false, lambda: true }, 'local', forbidden],
    [both, { local: false, lambda: true }, undefined, 'lambda'],
    [lambda, {}, undefined, 'lambda'],
    [lambda, {}, 'local', 'local'],
    [lambda, { lambda: false }, 'lambda', forbidden],
    [lambda, { lambda: false }, undefined, 'local'],
    [lambda, { lambda: false, local: false }, undefined, forbidden],
    [lambda, { lambda: false, local: false }, 'local', forbidden],
  ] satisfies [RenderModes, RenderModeGrants, RenderMode | undefined, string][])(
    'of %j with %j, asked for %s: %s',
    (installation, grants, asked, chosen) => {
      expect(outcome(() => chooseRenderMode(modesOf('acme', installation, grants), asked))).toBe(chosen);
    },
  );

  test('that is not set up is refused, and the refusal says what to set', () => {
    expect(() => chooseRenderMode(modesOf('acme', local, {}), 'lambda')).toThrow(
      expect.objectContaining({
        code: unavailable,
        message: expect.stringMatching(/LAMBDA_FUNCTION.*ask for local/),
        details: { renderMode: 'lambda', available: ['local'] },
      }),
    );
  });

  test('that was not granted is refused, and the refusal says who grants it, how, and what works meanwhile', () => {
    expect(() => chooseRenderMode(modesOf('acme', both, {}), 'lambda')).toThrow(
      expect.objectContaining({
        code: forbidden,
        message: expect.stringMatching(/organizations allow acme --render-mode lambda.*ask for local/),
        details: { renderMode: 'lambda', allowed: ['local'] },
      }),
    );
  });
});

describe('a retry in the mode of its batch', () => {
  const fallsBack: RenderModes = { ...local, fallsBack: true };
  test.each([
    [both, { lambda: true }, 'lambda', undefined],
    [both, {}, 'lambda', forbidden],
    [both, {}, 'local', undefined],
    [local, { lambda: true }, 'lambda', unavailable],
    [fallsBack, { lambda: true }, 'lambda', undefined],
    [fallsBack, {}, 'lambda', unavailable],
    [{ ...both, fallsBack: true }, {}, 'lambda', forbidden],
  ] satisfies [RenderModes, RenderModeGrants, RenderMode, string | undefined][])(
    'of %j with %j, in %s: %s',
    (installation, grants, mode, refusal) => {
      expect(
        outcome(() => {
          assertRetryMode(modesOf('acme', installation, grants), mode);
          return undefined;
        }),
      ).toBe(refusal);
    },
  );
});
