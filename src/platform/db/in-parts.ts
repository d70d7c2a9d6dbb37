const rowsOfPart = 5_000;

/**
 * Runs a statement that changes so many rows at most, each time in a transaction of its own, until it finds fewer: one transaction over
 * all of them would be open for long, for whose end the readers of the event log wait, and would end at the time-out of statements.
 * A statement that finds its rows by their ctid asks for their state once more: what was changed meanwhile is followed to its new place.
 */
export const inParts = async (
  part: (rows: number) => Promise<{ readonly numAffectedRows?: bigint }>,
): Promise<void> => {
  for (;;) {
    const { numAffectedRows = 0n } = await part(rowsOfPart);
    if (numAffectedRows < BigInt(rowsOfPart)) return;
  }
};
