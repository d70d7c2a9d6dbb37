/**
 * The policy of the bucket that sites, progress and output share: anybody may read `sites/`, where the function's browser loads a
 * composition from, and nothing else. Remotion's own createBucket opens the whole bucket, private output included.
 */
import { z } from 'zod';

export const sitesPrefix = 'sites/';

const oneOrMore = z.union([z.string(), z.array(z.string())]);
const statementSchema = z.looseObject({
  Sid: z.string().optional(),
  Effect: z.string(),
  Principal: z.union([z.string(), z.record(z.string(), oneOrMore)]).optional(),
  NotPrincipal: z.unknown().optional(),
  Action: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  Condition: z.unknown().optional(),
});
type Statement = z.infer<typeof statementSchema>;
const policySchema = z.looseObject({ Statement: z.union([statementSchema, z.array(statementSchema)]) });

export interface BucketPlace {
  readonly bucket: string;
  readonly partition: 'aws' | 'aws-cn';
}

export interface PolicyVerdict {
  readonly sitesAreOpen: boolean;
  /** What else anybody may do, each by the name of its statement or by what it allows. */
  readonly alsoOpen: readonly string[];
}

const listOf = (value: string | string[] | undefined): string[] =>
  typeof value === 'string' ? [value] : (value ?? []);

const statementsOf = (policy: string | null): Statement[] => {
  if (policy === null) return [];
  const { Statement: found } = policySchema.parse(JSON.parse(policy));
  return Array.isArray(found) ? found : [found];
};

const isForAnybody = ({ Principal, NotPrincipal }: Statement): boolean => {
  if (NotPrincipal !== undefined || Principal === '*') return true;
  return typeof Principal === 'object' && listOf(Principal.AWS).includes('*');
};

/** One that has a condition (a network, an organization) is its operator's own decision, and left alone. */
const opensToAnybody = (one: Statement): boolean =>
  one.Effect === 'Allow' && one.Condition === undefined && isForAnybody(one);

const arnOf = ({ bucket, partition }: BucketPlace): string => `arn:${partition}:s3:::${bucket}`;

const opensSitesOnly = (one: Statement, place: BucketPlace): boolean => {
  const [actions, resources] = [listOf(one.Action), listOf(one.Resource)];
  return (
    actions.length > 0 &&
    resources.length > 0 &&
    actions.every((action) => action.toLowerCase() === 's3:getobject') &&
    resources.every((resource) => resource.startsWith(`${arnOf(place)}/${sitesPrefix}`))
  );
};

const nameOf = (one: Statement): string =>
  one.Sid ?? `${listOf(one.Action).join(', ')} on ${listOf(one.Resource).join(', ')}`;

/** Throws where the text is no policy. */
export const judgePolicy = (policy: string | null, place: BucketPlace): PolicyVerdict => {
  const open = statementsOf(policy).filter(opensToAnybody);
  const all = `${arnOf(place)}/${sitesPrefix}*`;
  const covers = (resource: string) => [all, `${arnOf(place)}/*`, '*'].includes(resource);
  return {
    sitesAreOpen: open.some((one) => listOf(one.Resource).some(covers)),
    alsoOpen: open.filter((one) => !opensSitesOnly(one, place)).map(nameOf),
  };
};

/** Opens `sites/` and closes the rest; what the policy says besides stays. */
export const closePolicy = (policy: string | null, place: BucketPlace): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      ...statementsOf(policy).filter((one) => !opensToAnybody(one)),
      {
        Sid: 'RendermillSitesArePublic',
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `${arnOf(place)}/${sitesPrefix}*`,
      },
    ],
  });
