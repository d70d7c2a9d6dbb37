import { z } from 'zod';

/** Where an event was seen. The catalog says which of them may send it. */
export const eventSources = ['web', 'server', 'worker'] as const;
export type EventSource = (typeof eventSources)[number];

/** How long the log keeps it: behaviour 90 days, business until its person is erased. */
export const retentionClasses = ['behaviour', 'business'] as const;
export type RetentionClass = (typeof retentionClasses)[number];

export const eventFamilies = [
  'acquisition',
  'activation',
  'core_value',
  'monetization',
  'retention',
  'reliability',
  'compliance',
  'identity',
  'engagement',
  'jobs',
  'downloads',
  'milestones',
  'batches',
  'inventory',
  'timers',
  'recipes',
  'products',
  'planning',
  'billing',
] as const;
export type EventFamily = (typeof eventFamilies)[number];

/** Labels of the event catalog document, section 3. */
export type FunnelStage = 'Acq' | 'Act' | 'Value' | 'Rev' | 'Ret' | 'Risk';
export type NorthStar = 'Activated' | 'First Value' | 'Aha Moment' | 'Monetized';

/** Standard events of Meta's pixel and Conversions API. */
export type MetaEvent =
  | 'PageView'
  | 'ViewContent'
  | 'Lead'
  | 'CompleteRegistration'
  | 'InitiateCheckout'
  | 'Purchase'
  | 'AddToCart';

export interface SinkMapping {
  /** The name there, where it is another one; false: never sent. */
  readonly posthog?: string | false;
  /** Absent: never sent. `firstOnly`: where the person does it for the first time. */
  readonly meta?: { readonly event: MetaEvent; readonly firstOnly?: boolean };
}

export interface EventDefinition<
  Properties extends z.ZodObject = z.ZodObject,
  Emitted extends z.ZodObject = Properties,
> {
  readonly family: EventFamily;
  /** Grows with each change that a reader of old rows must know of; a change may only add. */
  readonly schemaVersion: number;
  readonly description: string;
  readonly retention: RetentionClass;
  readonly sources: readonly EventSource[];
  /** The contract with whoever sends it; what is not named here is let through. */
  readonly properties: Properties;
  /** What our own code gives where it emits it: at least the contract, and nothing that is not named. Absent: the contract. */
  readonly emitted?: Emitted;
  /** Other names under which it may come; the log has only the canonical one. */
  readonly aliases?: readonly string[];
  /** Only our own code knows whether it happened: from elsewhere it is refused. */
  readonly ownedByService?: boolean;
  /** Its uses are counted per user and organization (`user_use_index`, first and second use). */
  readonly countsUse?: boolean;
  readonly stage?: FunnelStage;
  readonly northStar?: NorthStar;
  readonly sinks?: SinkMapping;
}

export const defineEvent = <Properties extends z.ZodObject, Emitted extends z.ZodObject = Properties>(
  definition: EventDefinition<Properties, Emitted>,
): EventDefinition<Properties, Emitted> => definition;

type FamilyDefaults = Pick<EventDefinition, 'family' | 'retention' | 'sources'>;
type Particulars = Partial<Omit<EventDefinition, 'family' | 'properties' | 'emitted' | 'description'>>;

/** Defines events of one family, which share properties and, where an event says nothing else, sources and retention. */
export const defineFamily =
  <Shared extends z.ZodRawShape>(defaults: FamilyDefaults, shared: Shared) =>
  <Shape extends z.ZodRawShape>(description: string, shape: Shape, particulars: Particulars = {}) =>
    defineEvent({
      schemaVersion: 1,
      ...defaults,
      ...particulars,
      description,
      properties: z.object({ ...shared, ...shape }),
    });
