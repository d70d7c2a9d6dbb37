import { RendermillError } from './errors.ts';
import type { RenderMode } from './exports.ts';

/** Where an installation can render, and where it does unless a request says it. */
export interface RenderModes {
  readonly default: RenderMode;
  readonly available: readonly RenderMode[];
}

/** Throws `render_mode_unavailable`. */
export const chooseRenderMode = (modes: RenderModes, asked: RenderMode | undefined): RenderMode => {
  const mode = asked ?? modes.default;
  if (modes.available.includes(mode)) return mode;
  throw new RendermillError('render_mode_unavailable', {
    message: `This installation does not render in the mode ${mode}: its operator sets LAMBDA_FUNCTION and LAMBDA_BUCKET for it. Leave renderMode out, or ask for ${modes.available.join(' or ')}.`,
    details: { renderMode: mode, available: modes.available },
  });
};
