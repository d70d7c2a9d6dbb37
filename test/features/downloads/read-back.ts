/** What programs that are not ours find in an archive: Python's zipfile, which checks every CRC, and Info-ZIP's unzip. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface FoundEntry {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  /** Local header and directory agree on the name, and the entry is stored. */
  readonly stored: boolean;
  /** As the entry says, without a time zone. */
  readonly modified: string;
}

const script = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    found = []
    for info in archive.infolist():
        digest, size = hashlib.sha256(), 0
        with archive.open(info) as entry:
            while chunk := entry.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        assert size == info.file_size == info.compress_size, info.filename
        found.append({"name": info.filename, "size": size, "sha256": digest.hexdigest(),
            "stored": info.compress_type == zipfile.ZIP_STORED,
            "modified": "%04d-%02d-%02dT%02d:%02d:%02d" % info.date_time})
print(json.dumps(found))
`;

export const readBack = async (path: string): Promise<readonly FoundEntry[]> => {
  const { stdout } = await run('python3', ['-c', script, path], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout) as FoundEntry[];
};

/** Rejects where `unzip -t` finds any fault. An archive without entries is one to it. */
export const unzipTest = async (path: string): Promise<void> => {
  await run('unzip', ['-tqq', path], { maxBuffer: 2 ** 26 });
};
