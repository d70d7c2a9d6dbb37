import { z } from 'zod';
import { RendermillError } from './errors.ts';
import { type RenderMode, renderModes } from './exports.ts';

/** Where an installation can render, and where it does unless a request says it. */
export interface RenderModes {
  readonly default: RenderMode;
  readonly available: readonly RenderMode[];
  /** What Lambda has no worker for goes to the workers. */
  readonly fallsBack?: boolean;
}

/** What was decided of an organization, by mode: true, it may; false, it may not; absent, as the installation has it. */
export const renderModeGrantsSchema = z.partialRecord(z.enum(renderModes), z.boolean());
export type RenderModeGrants = z.infer<typeof renderModeGrantsSchema>;

/** What an organization may use, and what it gets unless a request says it. */
export interface OrganizationModes extends RenderModes {
  readonly organizationId: string;
  readonly allowed: readonly RenderMode[];
}

/**
 * Where nothing was decided, an organization may render on the workers, and where its operator renders by default. Asking for Lambda
 * beside that needs a grant: it costs the operator's money, and the allow-list of hosts does not hold there. An organization that may
 * not use the default gets what it may: its requests go on without a change.
 */
export const modesOf = (
  organizationId: string,
  installation: RenderModes,
  grants: RenderModeGrants,
): OrganizationModes => {
  const allowed = renderModes.filter(
    (mode) => grants[mode] ?? (mode === 'local' || mode === installation.default),
  );
  const usable = allowed.filter((mode) => installation.available.includes(mode));
  const isDefaultUsable = usable.length === 0 || usable.includes(installation.default);
  return {
    organizationId,
    ...installation,
    allowed,
    default: isDefaultUsable ? installation.default : (usable[0] ?? installation.default),
  };
};

/** Where its requests can be rendered at all; empty: every one of them is refused. */
export const usableModes = ({ allowed, available }: OrganizationModes): readonly RenderMode[] =>
  allowed.filter((mode) => available.includes(mode));

/** Throws `render_mode_unavailable` and `render_mode_forbidden`. */
export const chooseRenderMode = (modes: OrganizationModes, asked: RenderMode | undefined): RenderMode => {
  const mode = asked ?? modes.default;
  if (!modes.available.includes(mode)) throw unavailable(modes, mode);
  if (!modes.allowed.includes(mode)) throw forbidden(modes, mode);
  return mode;
};

/**
 * Whether cells of a batch may be rendered once more in the mode of the batch, which stays what it is. Throws as `chooseRenderMode`,
 * but for a Lambda that was taken away and whose renders fall back to the workers.
 */
export const assertRetryMode = (modes: OrganizationModes, mode: RenderMode): void => {
  if (modes.fallsBack === true && !modes.available.includes(mode) && modes.allowed.includes(mode)) return;
  chooseRenderMode(modes, mode);
};

const unavailable = ({ available }: RenderModes, mode: RenderMode): RendermillError =>
  new RendermillError('render_mode_unavailable', {
    message: `This installation does not render in the mode ${mode}: its operator sets LAMBDA_FUNCTION and LAMBDA_BUCKET for it. Leave renderMode out, or ask for ${available.join(' or ')}.`,
    details: { renderMode: mode, available },
  });

const forbidden = (modes: OrganizationModes, mode: RenderMode): RendermillError => {
  const { organizationId } = modes;
  const usable = usableModes(modes);
  const instead = usable.length === 0 ? '' : ` Leave renderMode out, or ask for ${usable.join(' or ')}.`;
  return new RendermillError('render_mode_forbidden', {
    message: `The organization "${organizationId}" may not render in the mode ${mode}: whoever runs this installation allows it (rendermill organizations allow ${organizationId} --render-mode ${mode}).${instead}`,
    details: { renderMode: mode, allowed: usable },
  });
};
