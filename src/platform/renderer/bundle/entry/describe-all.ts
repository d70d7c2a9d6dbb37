import { type AnyComposition, Internals } from 'remotion';
import { describeCompositionId, type PageDescription } from './protocol.ts';
import { resolveDefaults, type Settled } from './resolve-defaults.ts';
import { describeSchema } from './schema/describe-schema.ts';

/** Declared and not overruled: what calculateMetadata changes for the default props, it may change for others. */
const settled = (declared: number | undefined, resolved: number | undefined): number | null =>
  declared !== undefined && (resolved === undefined || resolved === declared) ? declared : null;

const sizeOf = (composition: AnyComposition, resolved: Settled | null) => ({
  width: settled(composition.width, resolved?.width),
  height: settled(composition.height, resolved?.height),
  fps: settled(composition.fps, resolved?.fps),
  durationInFrames: settled(composition.durationInFrames, resolved?.durationInFrames),
});

const describeOne = async (composition: AnyComposition): Promise<PageDescription> => {
  const { resolved, error } = await resolveDefaults(composition);
  return {
    id: composition.id,
    ...sizeOf(composition, resolved),
    defaultProps: composition.defaultProps ?? {},
    hasCalculateMetadata: composition.calculateMetadata !== null,
    ...(await describeSchema(composition.schema)),
    metadataError: error,
  };
};

/** One after the other: a project's calculateMetadata may count on being alone. */
export const describeAll = async (): Promise<PageDescription[]> => {
  const registered = Internals.compositionsRef.current?.getCompositions() ?? [];
  const descriptions: PageDescription[] = [];
  for (const composition of registered) {
    if (composition.id !== describeCompositionId) descriptions.push(await describeOne(composition));
  }
  return descriptions;
};
