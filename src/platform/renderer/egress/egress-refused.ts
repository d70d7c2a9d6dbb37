/** What a client of ours, and through it Remotion, sees of a refused connection. Never leaves the render process as it is. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code = 'EGRESS_REFUSED';
  readonly reason: string;

  constructor(reason: string) {
    super(`The connection was refused: ${reason}.`);
    this.reason = reason;
  }
}
