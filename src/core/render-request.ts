/** What a tenant may ask to be rendered. The same schema validates the request and makes the API's documentation. */
import { z } from 'zod';
import { renderModes } from './exports.ts';
import { findUnstorable } from './nesting.ts';
import {
  type ExportKind,
  exportKinds,
  formatsOfKind,
  maxSide,
  type OutputFormat,
  stillFormats,
  videoFormats,
} from './output.ts';

/** The tenant's own id of a user, a project or a composition: printable, without control characters. */
export const tenantIdSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^[\p{L}\p{N}\p{P}\p{S}](?:(?:[\p{L}\p{M}\p{N}\p{P}\p{S} ]|\u200c|\u200d)*[\p{L}\p{M}\p{N}\p{P}\p{S}])?$/u,
    'must be printable text',
  );

const sideSchema = z.int().min(1).max(maxSide);
const frameSchema = z.int().min(-1_000_000).max(1_000_000);

/** Remotion passes a quality on for these formats only where it is a video's rate or a jpeg's. */
const formatsWithoutQuality: ReadonlySet<string> = new Set(['png', 'webp', 'gif']);

interface AskedOutput {
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly quality?: number | undefined;
  readonly frame?: number | undefined;
  readonly frameRange?: readonly [number, number] | undefined;
}

/** What no single field shows: a format of another kind, an option that does nothing for it. */
export const outputMismatches = (asked: AskedOutput): readonly { path: string; message: string }[] => {
  const { kind, format, frameRange } = asked;
  const found: { path: string; message: string }[] = [];
  const refuse = (path: string, message: string) => found.push({ path, message });
  if (!formatsOfKind(kind).includes(format)) {
    refuse('format', `a ${kind} is one of ${formatsOfKind(kind).join(', ')}, not ${format}`);
  }
  if (kind === 'video' && asked.frame !== undefined) refuse('frame', 'is for stills; use frameRange');
  if (kind === 'still' && frameRange !== undefined) refuse('frameRange', 'is for videos; use frame');
  if (frameRange !== undefined && frameRange[1] < frameRange[0]) {
    refuse('frameRange', 'must not end before it starts');
  }
  if (asked.quality !== undefined && formatsWithoutQuality.has(format)) {
    refuse('quality', `does nothing for ${format}: leave it out`);
  }
  return found;
};

export const propsSchema = z
  .record(z.string(), z.unknown())
  .superRefine((props, context) => {
    const found = findUnstorable(props);
    if (found !== null) context.addIssue({ code: 'custom', message: found });
  })
  .default({})
  .describe("The composition's props; checked against its schema");

export const renderModeSchema = z
  .enum(renderModes)
  .optional()
  .describe('On the workers, or on AWS Lambda where that is set up; absent: as the installation is set');

export const renderRequestSchema = z
  .strictObject({
    userId: tenantIdSchema.describe(
      "The tenant's own id of the user whose usage is metered; made at first sight",
    ),
    projectId: tenantIdSchema.describe("The tenant's own id of the project; made at first sight"),
    compositionId: tenantIdSchema.describe('Id of a registered composition'),
    version: z
      .string()
      .regex(/^[0-9a-f]{8,64}$/)
      .optional()
      .describe('Version of the composition, as registered; absent: the newest'),
    kind: z.enum(exportKinds),
    format: z
      .enum([...stillFormats, ...videoFormats])
      .describe('png, jpeg or webp for a still; mp4, webm or gif for a video'),
    width: sideSchema.optional().describe("Pixels; absent: the composition's own"),
    height: sideSchema.optional().describe("Pixels; absent: the composition's own"),
    scale: z.number().min(0.1).max(8).optional().describe("Multiplies the output's pixels, not the layout"),
    quality: z.int().min(1).max(100).optional().describe('1 to 100; for jpeg, mp4 and webm'),
    frame: frameSchema.optional().describe('Stills: zero-based, negative from the end; default 0'),
    frameRange: z
      .tuple([z.int().min(0).max(1_000_000), z.int().min(0).max(1_000_000)])
      .optional()
      .describe('Videos: first and last frame, both included, zero-based'),
    renderMode: renderModeSchema,
    props: propsSchema,
  })
  .superRefine((request, context) => {
    for (const { path, message } of outputMismatches(request))
      context.addIssue({ code: 'custom', path: [path], message });
  })
  .meta({
    examples: [
      {
        userId: 'ada',
        projectId: 'launch',
        compositionId: 'example-hero-ad',
        kind: 'still',
        format: 'png',
        props: { headline: 'Hello from the documentation' },
      },
    ],
  });

export type RenderRequest = z.infer<typeof renderRequestSchema>;
