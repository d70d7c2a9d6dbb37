export interface SlotState {
  /** Whose browser it holds; null: nobody's. */
  readonly organizationId: string | null;
  readonly busy: boolean;
  /** When its last render ended; any clock. */
  readonly usedMs: number;
}

/**
 * Where a render of this organization should run: with its own warm browser; else where nobody's is; else where the browser is
 * that was idle for longest and has to go. Null: every slot is busy.
 */
export const chooseSlot = (slots: readonly SlotState[], organizationId: string): number | null => {
  const idle = slots.map((slot, index) => ({ ...slot, index })).filter((slot) => !slot.busy);
  const warm = idle.find((slot) => slot.organizationId === organizationId);
  const empty = idle.find((slot) => slot.organizationId === null);
  const [oldest] = idle.toSorted((a, b) => a.usedMs - b.usedMs);
  return (warm ?? empty ?? oldest)?.index ?? null;
};
