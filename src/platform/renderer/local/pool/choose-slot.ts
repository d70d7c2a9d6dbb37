/** Who may share a browser: renders of one organization from one bundle. Another version of the project never meets its leftovers. */
export interface Tenant {
  readonly organizationId: string;
  /** Null: no bundle is looked at, so any of the organization's will do. */
  readonly bundlePath: string | null;
}

export interface SlotState {
  /** Whose browser it holds; null: nobody's. */
  readonly tenant: Tenant | null;
  readonly busy: boolean;
  /** When its last render ended; any clock. */
  readonly usedMs: number;
}

/** Whether what `holder` has left behind may be met by `next`. */
export const isSameTenant = (holder: Tenant | null, next: Tenant): boolean =>
  holder?.organizationId === next.organizationId &&
  (next.bundlePath === null || holder.bundlePath === next.bundlePath);

/**
 * Where a render of this tenant should run: with its own warm browser; else where nobody's is; else where the browser is that was
 * idle for longest and has to go. Null: every slot is busy.
 */
export const chooseSlot = (slots: readonly SlotState[], tenant: Tenant): number | null => {
  const idle = slots.map((slot, index) => ({ ...slot, index })).filter((slot) => !slot.busy);
  const warm = idle.find((slot) => isSameTenant(slot.tenant, tenant));
  const empty = idle.find((slot) => slot.tenant === null);
  const [oldest] = idle.toSorted((a, b) => a.usedMs - b.usedMs);
  return (warm ?? empty ?? oldest)?.index ?? null;
};
