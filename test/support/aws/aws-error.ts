/** A refusal as AWS words it; each emulator writes it in its own protocol. */
export class AwsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string = code) {
    super(message);
    this.name = 'AwsError';
    this.status = status;
    this.code = code;
  }
}
