import { expect, it } from 'vitest';
import { closePolicy, judgePolicy } from '../../../src/platform/aws/bucket-policy.ts';

const place = { bucket: 'remotionlambda-x', partition: 'aws' } as const;
const arn = 'arn:aws:s3:::remotionlambda-x';
const allow = (more: Record<string, unknown>) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: `${arn}/sites/*`,
  ...more,
});
const policyOf = (...Statement: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement });

it.each([
  ['none', null, false, []],
  ['sites only', policyOf(allow({})), true, []],
  [
    'sites only, each word in a list',
    policyOf(allow({ Principal: { AWS: ['*'] }, Action: ['s3:GetObject'], Resource: [`${arn}/sites/*`] })),
    true,
    [],
  ],
  ['one statement, not in a list', JSON.stringify({ Statement: allow({}) }), true, []],
  ['one site', policyOf(allow({ Resource: `${arn}/sites/a/*` })), false, []],
  [
    'everything, as Remotion makes it',
    policyOf(allow({ Sid: 'PublicReadGetObject', Resource: `${arn}/*` })),
    true,
    ['PublicReadGetObject'],
  ],
  [
    'files',
    policyOf(allow({}), allow({ Resource: `${arn}/outputs/*` })),
    true,
    [`s3:GetObject on ${arn}/outputs/*`],
  ],
  [
    'what only begins like sites',
    policyOf(allow({ Resource: `${arn}/sites*` })),
    false,
    [`s3:GetObject on ${arn}/sites*`],
  ],
  [
    'the list of all',
    policyOf(allow({ Sid: 'List', Action: 's3:ListBucket', Resource: arn })),
    false,
    ['List'],
  ],
  ['writing', policyOf(allow({ Sid: 'W', Action: ['s3:GetObject', 's3:PutObject'] })), true, ['W']],
  [
    'anything but',
    policyOf(allow({ Sid: 'Not', Resource: undefined, NotResource: `${arn}/renders/*` })),
    false,
    ['Not'],
  ],
  [
    'anybody but one',
    policyOf({
      ...allow({ Sid: 'NP', Resource: `${arn}/*` }),
      Principal: undefined,
      NotPrincipal: { AWS: '1' },
    }),
    true,
    ['NP'],
  ],
  ['an account', policyOf(allow({ Principal: { AWS: '123456789012' }, Resource: `${arn}/*` })), false, []],
  [
    'a network',
    policyOf(allow({ Resource: `${arn}/*`, Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-1' } } })),
    false,
    [],
  ],
  ['a prohibition', policyOf(allow({ Effect: 'Deny', Resource: `${arn}/*` })), false, []],
])('judges a policy that opens %s', (_what, policy, sitesAreOpen, alsoOpen) => {
  expect(judgePolicy(policy, place)).toEqual({ sitesAreOpen, alsoOpen });
});

it('opens sites and closes all else to anybody, keeps what is for others, and does no more the second time', () => {
  const deny = {
    Sid: 'Tls',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: `${arn}/*`,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const auditor = allow({
    Sid: 'Auditor',
    Principal: { AWS: '123456789012' },
    Action: 's3:ListBucket',
    Resource: arn,
  });
  const closed = closePolicy(policyOf(allow({ Resource: `${arn}/*` }), deny, auditor), place);
  expect(judgePolicy(closed, place)).toEqual({ sitesAreOpen: true, alsoOpen: [] });
  expect(JSON.parse(closed).Statement).toEqual([
    deny,
    auditor,
    expect.objectContaining({ Resource: `${arn}/sites/*` }),
  ]);
  expect(closePolicy(closed, place)).toBe(closed);
});

it('names what lies in China as it is named there', () => {
  const china = { bucket: 'remotionlambda-x', partition: 'aws-cn' } as const;
  const closed = closePolicy(null, china);
  expect(closed).toContain('arn:aws-cn:s3:::remotionlambda-x/sites/*');
  expect(judgePolicy(closed, china).sitesAreOpen).toBe(true);
});
