import type { Tx } from '../../platform/db/client.ts';

export interface RegisteredComposition {
  readonly id: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly durationInFrames: number | null;
  readonly hasCalculateMetadata: boolean;
  readonly defaultProps: Record<string, unknown>;
  /** JSON Schema; null: the composition has none, and its props are not validated. */
  readonly propsSchema: Record<string, unknown> | null;
  readonly schemaNotes: readonly string[];
}

export interface NewBundle {
  readonly organizationId: string;
  readonly version: string;
  readonly storageKey: string;
  readonly sizeInBytes: number;
  readonly compositions: readonly RegisteredComposition[];
}

/** Beside the versions that are there; registering one again makes it the newest, which is how one rolls back. */
export const registerBundle = async (tx: Tx, bundle: NewBundle, now: Date): Promise<void> => {
  await tx
    .insertInto('bundle')
    .values({
      organization_id: bundle.organizationId,
      version: bundle.version,
      storage_key: bundle.storageKey,
      size_in_bytes: bundle.sizeInBytes,
      registered_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'version']).doUpdateSet({ registered_at: now }),
    )
    .execute();
  await tx
    .deleteFrom('composition')
    .where('organization_id', '=', bundle.organizationId)
    .where('version', '=', bundle.version)
    .execute();
  if (bundle.compositions.length === 0) return;
  await tx
    .insertInto('composition')
    .values(bundle.compositions.map((composition) => toRow(bundle, composition)))
    .execute();
};

const toRow = (bundle: NewBundle, composition: RegisteredComposition) => ({
  organization_id: bundle.organizationId,
  version: bundle.version,
  id: composition.id,
  width: composition.width,
  height: composition.height,
  fps: composition.fps,
  duration_in_frames: composition.durationInFrames,
  has_calculate_metadata: composition.hasCalculateMetadata,
  default_props: JSON.stringify(composition.defaultProps),
  props_schema: composition.propsSchema === null ? null : JSON.stringify(composition.propsSchema),
  schema_notes: JSON.stringify(composition.schemaNotes),
});
