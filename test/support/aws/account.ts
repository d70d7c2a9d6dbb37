/** Who owns everything in the emulators: `arn:aws:lambda:…:123456789012:…`, and the expected owner of buckets. */
export const accountId = '123456789012';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const testCredentials: AwsCredentials = {
  accessKeyId: 'AKIARENDERMILLTEST00',
  secretAccessKey: 'rendermill/test/secret/access/key',
};
