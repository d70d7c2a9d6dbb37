import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import { arnOf, createFunction, type LambdaFunction, type LambdaFunctions } from './lambda-function.ts';

export interface JsonAnswer {
  readonly status: number;
  readonly body?: unknown;
}

interface ControlRequest {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly region: string;
}

type Operation = (functions: LambdaFunctions, request: ControlRequest, name: string) => JsonAnswer;

export const findFunction = (
  functions: LambdaFunctions,
  nameOrArn: string,
  region: string,
): LambdaFunction => {
  const name = nameOrArn.split(':').at(-1) ?? '';
  const found = functions.get(name);
  if (found?.region !== region)
    throw new AwsError(404, 'ResourceNotFoundException', `Function not found: ${arnOf({ name, region })}`);
  return found;
};

const read = <T>(schema: z.ZodType<T>, body: Buffer): T => {
  const result = schema.safeParse(JSON.parse(body.toString()));
  if (!result.success)
    throw new AwsError(400, 'InvalidParameterValueException', z.prettifyError(result.error));
  return result.data;
};

const configurationOf = (lambda: LambdaFunction) => ({
  FunctionName: lambda.name,
  FunctionArn: arnOf(lambda),
  Runtime: 'nodejs24.x',
  Handler: 'index.handler',
  MemorySize: lambda.memoryMb,
  Timeout: lambda.timeoutSeconds,
  EphemeralStorage: { Size: lambda.diskMb },
  LastModified: lambda.lastModified.toISOString(),
  Version: '$LATEST',
  RevisionId: lambda.revision,
  State: 'Active',
  LastUpdateStatus: 'Successful',
  PackageType: 'Zip',
  Architectures: ['arm64'],
  Layers: lambda.layers.map((Arn) => ({ Arn, CodeSize: 1 })),
  RuntimeVersionConfig: { RuntimeVersionArn: lambda.runtimeVersionArn },
});

const creation = z.object({
  FunctionName: z.string().regex(/^[\w-]{1,64}$/),
  Code: z.object({ ZipFile: z.string().min(1) }),
  Role: z.string().regex(/^arn:(aws|aws-cn):iam::\d{12}:role\/.+$/),
  Runtime: z.string(),
  Handler: z.string(),
  MemorySize: z.number().int().min(128).max(10_240).default(128),
  Timeout: z.number().int().min(1).max(900).default(3),
  EphemeralStorage: z.object({ Size: z.number().int().min(512).max(10_240) }).default({ Size: 512 }),
  Layers: z.array(z.string()).max(5).default([]),
});

/** What was uploaded is taken and not run: every function of the emulator runs the handler that it was started with. */
const create: Operation = (functions, { body, region }) => {
  const { FunctionName: name, MemorySize, Timeout, EphemeralStorage, Layers } = read(creation, body);
  if (functions.has(name))
    throw new AwsError(409, 'ResourceConflictException', `Function already exist: ${name}`);
  const lambda = createFunction({
    name,
    region,
    memoryMb: MemorySize,
    diskMb: EphemeralStorage.Size,
    timeoutSeconds: Timeout,
  });
  lambda.layers = Layers;
  functions.set(name, lambda);
  return { status: 201, body: configurationOf(lambda) };
};

const list: Operation = (functions, { query, region }) => {
  const all = [...functions.values()].filter((lambda) => lambda.region === region);
  const from = Number(query.get('Marker') ?? 0);
  const to = from + Number(query.get('MaxItems') ?? 50);
  const NextMarker = to < all.length ? String(to) : undefined;
  return { status: 200, body: { Functions: all.slice(from, to).map(configurationOf), NextMarker } };
};

const describe: Operation = (functions, { region }, name) => {
  const lambda = findFunction(functions, name, region);
  const Tags = Object.fromEntries(lambda.tags);
  return {
    status: 200,
    body: { Configuration: configurationOf(lambda), Code: { RepositoryType: 'S3' }, Tags },
  };
};

const describeConfiguration: Operation = (functions, { region }, name) => ({
  status: 200,
  body: configurationOf(findFunction(functions, name, region)),
});

const change = z.object({ Layers: z.array(z.string()).optional(), Timeout: z.number().int().optional() });

const updateConfiguration: Operation = (functions, { body, region }, name) => {
  const lambda = findFunction(functions, name, region);
  const { Layers, Timeout } = read(change, body);
  lambda.layers = Layers ?? lambda.layers;
  lambda.timeoutSeconds = Timeout ?? lambda.timeoutSeconds;
  lambda.lastModified = new Date();
  return { status: 200, body: configurationOf(lambda) };
};

const remove: Operation = (functions, { region }, name) => {
  functions.delete(findFunction(functions, name, region).name);
  return { status: 204 };
};

const tag: Operation = (functions, { body, region }, arn) => {
  const { tags } = findFunction(functions, arn, region);
  const { Tags } = read(z.object({ Tags: z.record(z.string(), z.string()) }), body);
  for (const [name, value] of Object.entries(Tags)) tags.set(name, value);
  return { status: 204 };
};

const putEventInvokeConfig: Operation = (functions, { body, region }, name) => {
  const lambda = findFunction(functions, name, region);
  const { MaximumRetryAttempts } = read(
    z.object({ MaximumRetryAttempts: z.number().int().min(0).max(2) }),
    body,
  );
  lambda.maximumRetryAttempts = MaximumRetryAttempts;
  return { status: 200, body: { FunctionArn: arnOf(lambda), MaximumRetryAttempts } };
};

const putRuntimeManagementConfig: Operation = (functions, { body, region }, name) => {
  const lambda = findFunction(functions, name, region);
  const { RuntimeVersionArn } = read(z.object({ RuntimeVersionArn: z.string() }), body);
  lambda.runtimeVersionArn = RuntimeVersionArn;
  return { status: 200, body: { FunctionArn: arnOf(lambda), UpdateRuntimeOn: 'Manual', RuntimeVersionArn } };
};

const operations: readonly (readonly [method: string, path: RegExp, operation: Operation])[] = [
  ['GET', /^\/2015-03-31\/functions\/?$/, list],
  ['POST', /^\/2015-03-31\/functions\/?$/, create],
  ['GET', /^\/2015-03-31\/functions\/([^/]+)$/, describe],
  ['DELETE', /^\/2015-03-31\/functions\/([^/]+)$/, remove],
  ['GET', /^\/2015-03-31\/functions\/([^/]+)\/configuration$/, describeConfiguration],
  ['PUT', /^\/2015-03-31\/functions\/([^/]+)\/configuration$/, updateConfiguration],
  ['POST', /^\/2017-03-31\/tags\/(.+)$/, tag],
  ['PUT', /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/, putEventInvokeConfig],
  ['PUT', /^\/2021-07-20\/functions\/([^/]+)\/runtime-management-config$/, putRuntimeManagementConfig],
];

/** The calls that `deployFunction`, `getFunctions`, `getFunctionInfo` and `deleteFunction` make. */
export const controlPlane = (functions: LambdaFunctions, request: ControlRequest): JsonAnswer => {
  for (const [method, pattern, operation] of operations) {
    const match = method === request.method ? pattern.exec(request.path) : null;
    if (match) return operation(functions, request, match[1] ?? '');
  }
  throw new AwsError(501, 'NotImplemented', `The emulator does not know ${request.method} ${request.path}.`);
};
