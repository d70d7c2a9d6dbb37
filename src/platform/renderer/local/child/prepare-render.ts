import { selectComposition } from '@remotion/renderer';
import type { RenderSpec } from '../../contract.ts';
import type { ChildSettings } from '../messages.ts';
import { planRender, type StillPlan, type VideoPlan } from './plan-render.ts';
import { type CallHooks, commonOptions } from './remotion-options.ts';
import type { Session } from './session.ts';

export interface PreparedRender {
  readonly common: ReturnType<typeof commonOptions>;
  /** In the size in which it is laid out. */
  readonly composition: Awaited<ReturnType<typeof selectComposition>>;
  readonly scale: number;
  readonly plan: StillPlan | VideoPlan;
}

/** Selects and plans: what is to be rendered is known from here on. */
export const prepareRender = async (
  session: Session,
  spec: Omit<RenderSpec, 'outputPath'>,
  settings: ChildSettings,
  hooks: CallHooks,
): Promise<PreparedRender> => {
  const common = commonOptions(session, spec, settings, hooks);
  const selected = await selectComposition({ ...common, id: spec.compositionId });
  const plan = planRender(spec, selected);
  return { common, composition: { ...selected, ...plan.layout }, scale: spec.scale ?? 1, plan };
};

/** The same of what can only be a video. */
export const prepareVideo = async (
  ...parameters: Parameters<typeof prepareRender>
): Promise<PreparedRender & { readonly plan: VideoPlan }> => {
  const { plan, ...prepared } = await prepareRender(...parameters);
  if (plan.kind !== 'video') throw new Error('A still has no frames to measure.');
  return { ...prepared, plan };
};
