import { expect, it, vi } from 'vitest';
import { type PolicyPlace, writePolicies } from '../../../src/platform/aws/policies.ts';

// Remotion's packages and the SDK in them take long to load on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const place: PolicyPlace = {
  region: 'eu-central-1',
  functionName: 'remotion-render-4-0-527-mem2048mb-disk2048mb-240sec',
  bucket: 'remotionlambda-eucentral1-abc',
};
type Statement = { Sid?: string; Action: string | string[]; Resource?: string | string[] };
const statementsOf = (policy: { Statement: readonly unknown[] }) => policy.Statement as Statement[];
const actionsOf = (policy: { Statement: readonly unknown[] }) =>
  statementsOf(policy).flatMap(({ Action }) => Action);

it('lets the workers render with one function and one bucket, and build or open nothing', async () => {
  const { service } = await writePolicies(place);
  const wide = statementsOf(service).filter(({ Resource }) => Resource === '*');
  expect(wide.map(({ Sid }) => Sid)).toEqual(['CompareQuotas']);
  for (const { Resource, Sid } of statementsOf(service).filter((one) => !wide.includes(one)))
    for (const arn of [Resource ?? []].flat())
      expect(arn, Sid).toMatch(
        /^arn:aws:(lambda:eu-central-1:\*:function:remotion-render-4-0-527-mem2048mb-disk2048mb-240sec|s3:::remotionlambda-eucentral1-abc(\/.*)?)$/,
      );
  expect(
    actionsOf(service).filter((action) => /Create|PassRole|PutBucket|DeleteFunction|Update/.test(action)),
  ).toEqual([]);
  const deletes = statementsOf(service).find(({ Action }) => Action === 's3:DeleteObject');
  for (const arn of [deletes?.Resource ?? ['none']].flat())
    expect(arn).toMatch(/\/(renders|outputs|input-props|resolved-props)\/\*$/);
});

it("adds to Remotion's own policies what our deployment does besides", async () => {
  const { deployer, role, trust } = await writePolicies(place);
  for (const action of [
    'lambda:CreateFunction',
    'iam:PassRole',
    's3:PutBucketPolicy',
    's3:GetBucketPolicy',
    's3:PutLifecycleConfiguration',
  ])
    expect(actionsOf(deployer)).toContain(action);
  expect(actionsOf(role)).toContain('lambda:InvokeFunction');
  expect(JSON.stringify(trust)).toContain('lambda.amazonaws.com');
});

it('names everything of China as it is named there', async () => {
  const policies = await writePolicies({ ...place, region: 'cn-north-1' });
  expect(JSON.stringify([policies.role, policies.service])).not.toContain('arn:aws:');
});
