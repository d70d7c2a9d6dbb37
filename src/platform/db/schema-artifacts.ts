/** Files, and who fetched them. */
export interface ArtifactTable {
  file_id: string;
  organization_id: string;
  export_id: string;
  storage_key: string;
  size_in_bytes: number;
  sha256: string;
  media_type: string;
  width: number;
  height: number;
  duration_seconds: number | null;
  has_sound: boolean | null;
  expires_at: Date | null;
  expired_at: Date | null;
  created_at: Date;
}

export interface DownloadWindowTable {
  organization_id: string;
  file_id: string;
  client: string;
  counted_at: Date;
  completed_at: Date | null;
}

export interface DownloadCountTable {
  organization_id: string;
  file_id: string;
  downloads: number;
}
