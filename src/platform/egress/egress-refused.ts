/** What a client of ours sees of a refused connection. Its text may name an address of ours: never leaves the process as it is. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code = 'EGRESS_REFUSED';
  readonly reason: string;

  constructor(reason: string) {
    super(`The connection was refused: ${reason}.`);
    this.reason = reason;
  }
}
