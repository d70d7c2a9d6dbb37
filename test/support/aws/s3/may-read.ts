import type { Bucket } from './store.ts';

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String);

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(text);

const isForEverybody = (principal: unknown): boolean => {
  if (typeof principal === 'object' && principal !== null && 'AWS' in principal)
    return listOf(principal.AWS).includes('*');
  return principal === '*';
};

const effectsOf = (policy: string, action: string, resource: string): string[] => {
  const { Statement: statements } = JSON.parse(policy) as { Statement: Statement | Statement[] };
  return (Array.isArray(statements) ? statements : [statements])
    .filter((one) => isForEverybody(one.Principal))
    .filter((one) =>
      listOf(one.Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())),
    )
    .filter((one) => listOf(one.Resource).some((pattern) => matches(pattern, resource)))
    .map((one) => String(one.Effect));
};

const blocks = (bucket: Bucket, settings: readonly string[]): boolean => {
  const block = bucket.settings.get('publicAccessBlock');
  if (block === undefined) return false;
  return block === 'all' || settings.some((name) => new RegExp(`<${name}>true`, 'i').test(block));
};

/** What an unsigned request may read: what the bucket's policy opens, else a public ACL, and nothing where public access is blocked. */
export const mayReadAnonymously = (bucket: Bucket, key: string): boolean => {
  const policy = bucket.settings.get('policy');
  const effects = policy ? effectsOf(policy, 's3:GetObject', `arn:aws:s3:::${bucket.name}/${key}`) : [];
  if (effects.includes('Deny')) return false;
  if (effects.includes('Allow') && !blocks(bucket, ['RestrictPublicBuckets'])) return true;
  const acl = bucket.objects.get(key)?.acl ?? 'private';
  return acl.startsWith('public-read') && !blocks(bucket, ['IgnorePublicAcls']);
};
