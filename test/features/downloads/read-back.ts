/** What programs that are not ours find in an archive: Python's zipfile, which checks every CRC, and Info-ZIP's unzip. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface FoundEntry {
  readonly name: string;
  readonly size: number;
  /** null: it was not read, being too large. */
  readonly sha256: string | null;
  /** Local header and directory agree on the name, and the entry is stored. */
  readonly stored: boolean;
  /** As the entry says, without a time zone. */
  readonly modified: string;
}

const script = `
import hashlib, json, sys, zipfile
largest = int(sys.argv[2])
with zipfile.ZipFile(sys.argv[1]) as archive:
    found = []
    for info in archive.infolist():
        digest = hashlib.sha256() if info.file_size <= largest else None
        if digest:
            with archive.open(info) as entry:
                content = entry.read()
            digest.update(content)
            assert len(content) == info.file_size, info.filename
        assert info.file_size == info.compress_size, info.filename
        found.append({"name": info.filename, "size": info.file_size, "sha256": digest.hexdigest() if digest else None,
            "stored": info.compress_type == zipfile.ZIP_STORED,
            "modified": "%04d-%02d-%02dT%02d:%02d:%02d" % info.date_time})
print(json.dumps(found))
`;

/** Entries beyond `largestRead` bytes are listed only: what is in them, `unzipTest` reads. */
export const readBack = async (path: string, largestRead = 2 ** 28): Promise<readonly FoundEntry[]> => {
  const { stdout } = await run('python3', ['-c', script, path, String(largestRead)], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout) as FoundEntry[];
};

/** Rejects where `unzip -t` finds any fault. An archive without entries is one to it. */
export const unzipTest = async (path: string): Promise<void> => {
  await run('unzip', ['-tqq', path], { maxBuffer: 2 ** 26 });
};
