/** IAM policies, for whoever may write them: of the function, of who deploys it, and of the workers, which need far less. */
import { sitesPrefix } from './bucket-policy.ts';
import { passingPrefixes } from './bucket-rules.ts';
import { partitionOf } from './region.ts';
import { loadRemotionLambda } from './remotion-lambda.ts';

export interface PolicyPlace {
  readonly region: string;
  /** Names, or patterns with a star. */
  readonly functionName: string;
  readonly bucket: string;
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly unknown[];
}

export interface Policies {
  /** Of the role remotion-lambda-role: what the function may do. */
  readonly role: Policy;
  /** Who may take that role on. */
  readonly trust: Policy;
  /** Of the person or program that runs `rendermill lambda`. */
  readonly deployer: Policy;
  /** Of the workers and of doctor. */
  readonly service: Policy;
}

const version = '2012-10-17';

const bucketArn = ({ region, bucket }: PolicyPlace): string => `arn:${partitionOf(region)}:s3:::${bucket}`;

/** What ours does beyond Remotion's own deployment: it closes the bucket, and lists and removes sites. */
const deployerExtra = (place: PolicyPlace) => [
  {
    Sid: 'RendermillBucket',
    Effect: 'Allow',
    Action: [
      's3:GetBucketPolicy',
      's3:GetBucketPublicAccessBlock',
      's3:GetLifecycleConfiguration',
      's3:PutLifecycleConfiguration',
    ],
    Resource: bucketArn(place),
  },
  { Sid: 'RendermillQuotas', Effect: 'Allow', Action: ['lambda:GetAccountSettings'], Resource: '*' },
];

const servicePolicy = (place: PolicyPlace): Policy => {
  const arn = bucketArn(place);
  const objects = (prefixes: readonly string[]) => prefixes.map((prefix) => `${arn}/${prefix}*`);
  return {
    Version: version,
    Statement: [
      {
        Sid: 'Render',
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: `arn:${partitionOf(place.region)}:lambda:${place.region}:*:function:${place.functionName}`,
      },
      {
        Sid: 'LookIntoTheBucket',
        Effect: 'Allow',
        Action: [
          's3:ListBucket',
          's3:GetBucketLocation',
          's3:GetBucketPolicy',
          's3:GetBucketPublicAccessBlock',
        ],
        Resource: arn,
      },
      {
        Sid: 'SitesProgressPropsAndFiles',
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:PutObjectAcl', 's3:AbortMultipartUpload'],
        Resource: objects([sitesPrefix, ...passingPrefixes]),
      },
      {
        Sid: 'CleanUpAfterRenders',
        Effect: 'Allow',
        Action: 's3:DeleteObject',
        Resource: objects(passingPrefixes),
      },
      {
        Sid: 'CompareQuotas',
        Effect: 'Allow',
        Action: [
          'servicequotas:GetServiceQuota',
          'servicequotas:GetAWSDefaultServiceQuota',
          'lambda:GetAccountSettings',
        ],
        Resource: '*',
      },
    ],
  };
};

export const writePolicies = async (place: PolicyPlace): Promise<Policies> => {
  const { getRolePolicy, getUserPolicy } = await loadRemotionLambda();
  const partition = partitionOf(place.region);
  const deployer = JSON.parse(getUserPolicy({ partition })) as Policy;
  return {
    role: JSON.parse(getRolePolicy({ partition })) as Policy,
    trust: {
      Version: version,
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    },
    deployer: { ...deployer, Statement: [...deployer.Statement, ...deployerExtra(place)] },
    service: servicePolicy(place),
  };
};
