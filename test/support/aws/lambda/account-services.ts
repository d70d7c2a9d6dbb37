import { accountId } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { writeXml } from '../xml.ts';
import type { JsonAnswer } from './control-plane.ts';

export interface AccountState {
  readonly limits: { concurrency: number };
  /** Log groups by name, with the days that they are kept. */
  readonly logGroups: Map<string, number | null>;
}

interface Input {
  readonly logGroupName?: string;
  readonly retentionInDays?: number;
  readonly QuotaCode?: string;
}

type Operation = (state: AccountState, input: Input) => JsonAnswer;

/** "Concurrent executions", the quota that Remotion asks for. */
const concurrencyQuota = 'L-B99A9384';
const awsDefaultConcurrency = 1000;

const quota =
  (read: (state: AccountState) => number): Operation =>
  (state, { QuotaCode }) => {
    if (QuotaCode !== concurrencyQuota)
      throw new AwsError(400, 'NoSuchResourceException', `There is no quota ${QuotaCode}.`);
    return {
      status: 200,
      body: {
        Quota: {
          ServiceCode: 'lambda',
          QuotaCode,
          QuotaName: 'Concurrent executions',
          Value: read(state),
          Unit: 'None',
          Adjustable: true,
        },
      },
    };
  };

const createLogGroup: Operation = ({ logGroups }, { logGroupName = '' }) => {
  if (logGroups.has(logGroupName))
    throw new AwsError(400, 'ResourceAlreadyExistsException', 'The specified log group already exists');
  logGroups.set(logGroupName, null);
  return { status: 200, body: {} };
};

const putRetentionPolicy: Operation = ({ logGroups }, { logGroupName = '', retentionInDays = 0 }) => {
  if (!logGroups.has(logGroupName))
    throw new AwsError(400, 'ResourceNotFoundException', 'The specified log group does not exist.');
  logGroups.set(logGroupName, retentionInDays);
  return { status: 200, body: {} };
};

const operations: Readonly<Record<string, Operation>> = {
  'Logs_20140328.CreateLogGroup': createLogGroup,
  'Logs_20140328.PutRetentionPolicy': putRetentionPolicy,
  'ServiceQuotasV20190624.GetServiceQuota': quota(({ limits }) => limits.concurrency),
  'ServiceQuotasV20190624.GetAWSDefaultServiceQuota': quota(() => awsDefaultConcurrency),
  'ServiceQuotasV20190624.ListRequestedServiceQuotaChangeHistoryByQuota': () => ({
    status: 200,
    body: { RequestedQuotas: [] },
  }),
};

/** CloudWatch Logs and Service Quotas: their operation stands in `x-amz-target`. */
export const accountServices = (state: AccountState, target: string, body: Buffer): JsonAnswer => {
  const operation = operations[target];
  if (!operation) throw new AwsError(501, 'NotImplemented', `The emulator does not know ${target}.`);
  return operation(state, JSON.parse(body.toString()) as Input);
};

/** STS: its operation stands in a form. */
export const tokenService = (body: Buffer): string => {
  const action = new URLSearchParams(body.toString()).get('Action');
  if (action !== 'GetCallerIdentity')
    throw new AwsError(501, 'NotImplemented', `The emulator does not know ${action}.`);
  const identity = {
    Arn: `arn:aws:iam::${accountId}:user/rendermill`,
    UserId: 'AIDARENDERMILL',
    Account: accountId,
  };
  return writeXml(
    'GetCallerIdentityResponse',
    { GetCallerIdentityResult: identity },
    'https://sts.amazonaws.com/doc/2011-06-15/',
  );
};
