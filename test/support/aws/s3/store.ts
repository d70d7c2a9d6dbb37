import { createHash, randomUUID } from 'node:crypto';

/** What the client said about an object and gets back with it: header names in lower case. */
export type ObjectHeaders = Readonly<Record<string, string>>;

export interface StoredObject {
  readonly body: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly headers: ObjectHeaders;
  /** A canned ACL. */
  readonly acl: string;
  readonly storageClass: string;
  /** `crc32` → base64; of objects of one part only. */
  readonly checksums: Readonly<Record<string, string>>;
}

export interface StoredPart {
  readonly body: Buffer;
  readonly etag: string;
  readonly lastModified: Date;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  /** May be set back by a test that wants an old one. */
  initiated: Date;
  readonly headers: ObjectHeaders;
  readonly acl: string;
  readonly storageClass: string;
  readonly parts: Map<number, StoredPart>;
}

export interface Bucket {
  readonly name: string;
  readonly region: string;
  readonly created: Date;
  readonly objects: Map<string, StoredObject>;
  /** By upload id: the multipart uploads that are open. */
  readonly uploads: Map<string, Upload>;
  /** `policy`, `acl`, `lifecycle` … as they were put. */
  readonly settings: Map<string, string>;
  /** In the order of S3: by the bytes of their UTF-8. */
  keys(prefix?: string): string[];
  /** Throws where the object is missing. */
  read(key: string): StoredObject;
}

export type Buckets = Map<string, Bucket>;

/** As S3 makes them since 2023: nothing public, no ACLs. */
const newBucketSettings = [
  ['ownershipControls', 'BucketOwnerEnforced'],
  ['publicAccessBlock', 'all'],
] as const;

export const createBucket = (name: string, region: string): Bucket => {
  const objects = new Map<string, StoredObject>();
  return {
    name,
    region,
    created: new Date(),
    objects,
    uploads: new Map(),
    settings: new Map(newBucketSettings),
    keys: (prefix = '') =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
    read: (key) => {
      const object = objects.get(key);
      if (!object) throw new Error(`There is no ${key} in ${name}.`);
      return object;
    },
  };
};

export const createUpload = (rest: Pick<Upload, 'key' | 'headers' | 'acl' | 'storageClass'>): Upload => ({
  ...rest,
  id: randomUUID(),
  initiated: new Date(),
  parts: new Map(),
});

const md5 = (body: Buffer): Buffer => createHash('md5').update(body).digest();

export const etagOf = (body: Buffer): string => `"${md5(body).toString('hex')}"`;

/** As S3 makes it: the hash of the parts' hashes, and their number. */
export const etagOfParts = (parts: readonly StoredPart[]): string =>
  `"${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag.slice(1, -1), 'hex')))).toString('hex')}-${parts.length}"`;
