/** What is asked for, who renders, and what a render is made of. */
import type { Generated } from 'kysely';
import type { RenderMode } from '../../core/exports.ts';
import type { JsonOrNull } from './column-types.ts';

/** What was asked for beyond the export's own columns. */
export interface StoredRequest {
  props: Record<string, unknown>;
  width?: number;
  height?: number;
  scale?: number;
  quality?: number;
  frame?: number;
  frameRange?: [number, number];
}

/** A render at AWS that whoever holds the export watches. */
export interface StoredRemoteRender {
  renderId: string;
  bucketName: string;
  functionName: string;
  region: string;
  /** ISO 8601. */
  startedAt: string;
}

/** How a video is cut: what is the same for all chunks, and what the join must know. */
export interface StoredChunkPlan {
  /** Of every chunk but the last, which may have fewer. */
  framesPerChunk: number;
  /** Both ends included, of the composition. */
  frameRange: [number, number];
  /** Of the whole composition. */
  compositionFrames: number;
  fps: number;
  /** Pixels of the file. */
  width: number;
  height: number;
}

/** What a chunk came to, in storage. */
export interface StoredChunkResult {
  video: StoredChunkFile;
  /** Null: the format carries no sound. */
  audio: StoredChunkFile | null;
  /** Nothing sounds in it. */
  silent: boolean;
}

export interface StoredChunkFile {
  key: string;
  sizeInBytes: number;
  sha256: string;
}

export interface RenderChunkTable {
  id: string;
  export_id: string;
  organization_id: string;
  number: number;
  first_frame: number;
  last_frame: number;
  status: Generated<'waiting' | 'started' | 'done'>;
  epoch: Generated<number>;
  attempt: Generated<number>;
  failed_attempts: Generated<number>;
  hand_backs: Generated<number>;
  rendered_frames: Generated<number>;
  worker_id: string | null;
  result: JsonOrNull<StoredChunkResult>;
  render_ms: number | null;
  created_at: Date;
  fed_at: Date | null;
  started_at: Date | null;
  done_at: Date | null;
}

export interface WorkerTable {
  id: string;
  host: string;
  pid: number;
  concurrency: number;
  lambda_concurrency: Generated<number>;
  render_modes: Generated<RenderMode[]>;
  paused: 'disk' | 'memory' | null;
  started_at: Date;
  seen_at: Date;
}

export interface RenderModeWatchTable {
  render_mode: RenderMode;
  /** Null: a live worker serves it. */
  unserved_since: Date | null;
  looked_at: Date;
}
