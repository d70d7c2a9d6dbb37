import type { RenderModes } from '../core/choose-render-mode.ts';
import type { Config } from '../platform/config/config.ts';

/** Where this installation renders, as the environment of this process has it. */
export const installedModes = ({
  RENDER_MODE,
  RENDER_FALLBACK,
  LAMBDA_FUNCTION,
}: Pick<Config, 'RENDER_MODE' | 'RENDER_FALLBACK' | 'LAMBDA_FUNCTION'>): RenderModes => ({
  default: RENDER_MODE,
  available: LAMBDA_FUNCTION === undefined ? ['local'] : ['local', 'lambda'],
  fallsBack: RENDER_FALLBACK === 'local',
});
