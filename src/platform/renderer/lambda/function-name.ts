import { RendermillError } from '../../../core/errors.ts';

/** What the name of a function says of it; Remotion names them by convention and reads them back just so. */
export interface FunctionTraits {
  readonly remotionVersion: string;
  readonly memoryMb: number;
  readonly diskMb: number;
  /** After which AWS kills an invocation. */
  readonly timeoutSeconds: number;
}

const convention = /^remotion-render-(\d[\w-]*)-mem(\d+)mb-disk(\d+)mb-(\d+)sec$/;

/** Throws `lambda_misconfigured`. */
export const parseFunctionName = (name: string): FunctionTraits => {
  const [, version, memory, disk, timeout] = convention.exec(name) ?? [];
  if (version === undefined) {
    throw new RendermillError('lambda_misconfigured', {
      message: `LAMBDA_FUNCTION: "${name}" is not named as Remotion names its functions. Deploy one with: rendermill lambda deploy`,
    });
  }
  return {
    remotionVersion: version.replaceAll('-', '.'),
    memoryMb: Number(memory),
    diskMb: Number(disk),
    timeoutSeconds: Number(timeout),
  };
};

/** A function understands clients of its own version only. Throws `lambda_misconfigured`. */
export const checkFunctionVersion = (traits: FunctionTraits, ownVersion: string): void => {
  if (traits.remotionVersion === ownVersion) return;
  throw new RendermillError('lambda_misconfigured', {
    message: `LAMBDA_FUNCTION is of Remotion ${traits.remotionVersion}, this service of ${ownVersion}. Deploy a function of this version with: rendermill lambda deploy`,
  });
};
