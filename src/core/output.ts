/** What an export can be: its kind, its file format, and the names and limits that go with them. */
export const stillFormats = ['png', 'jpeg', 'webp'] as const;
export const videoFormats = ['mp4', 'webm', 'gif'] as const;
export const exportKinds = ['still', 'video'] as const;

export type StillFormat = (typeof stillFormats)[number];
export type VideoFormat = (typeof videoFormats)[number];
export type OutputFormat = StillFormat | VideoFormat;
export type ExportKind = (typeof exportKinds)[number];

const formats: Readonly<Record<OutputFormat, { kind: ExportKind; mediaType: string; extension: string }>> = {
  png: { kind: 'still', mediaType: 'image/png', extension: 'png' },
  jpeg: { kind: 'still', mediaType: 'image/jpeg', extension: 'jpg' },
  webp: { kind: 'still', mediaType: 'image/webp', extension: 'webp' },
  mp4: { kind: 'video', mediaType: 'video/mp4', extension: 'mp4' },
  webm: { kind: 'video', mediaType: 'video/webm', extension: 'webm' },
  gif: { kind: 'video', mediaType: 'image/gif', extension: 'gif' },
};

export const formatsOfKind = (kind: ExportKind): readonly OutputFormat[] =>
  kind === 'still' ? stillFormats : videoFormats;
export const mediaTypeOf = (format: OutputFormat): string => formats[format].mediaType;
export const extensionOf = (format: OutputFormat): string => formats[format].extension;

/** Pixels along one side, after `scale`. Chromium's captures fail beyond this on software rendering. */
export const maxSide = 8192;
/** Pixels of one picture, after `scale`: 8K UHD. */
export const maxPixels = 7680 * 4320;
