import { RendermillError } from '../../core/errors.ts';
import { type AwsRegion, awsRegions } from './remotion-lambda.ts';

/** Throws `invalid_configuration` for one in which there are no layers of Remotion's. */
export const toRegion = async (text: string): Promise<AwsRegion> => {
  const regions = await awsRegions();
  const region = regions.find((one) => one === text);
  if (region) return region;
  throw new RendermillError('invalid_configuration', {
    message: `Remotion Lambda knows no AWS region "${text}". LAMBDA_REGION and --region take one of: ${regions.join(', ')}.`,
  });
};

/** What comes after `arn:`. */
export const partitionOf = (region: string): 'aws' | 'aws-cn' =>
  region.startsWith('cn-') ? 'aws-cn' : 'aws';
