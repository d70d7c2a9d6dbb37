/** A file as a layout sees it. What is null was not said: a single export has neither variant nor size. */
export interface ArchiveFile {
  /** Of the variant, else of the composition. */
  readonly name: string;
  readonly locale: string | null;
  readonly size: string | null;
  readonly device: string | null;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Without a dot. */
  readonly extension: string;
}

export const layouts = ['locale-first', 'device-first', 'flat', 'app-store', 'google-play'] as const;
export type Layout = (typeof layouts)[number];

/** More than the largest batch has; each costs memory until the archive's directory is written. */
export const maxArchiveFiles = 100_000;
export const manifestName = 'manifest.json';
