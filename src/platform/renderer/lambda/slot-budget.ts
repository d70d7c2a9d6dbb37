/** How many functions may run at once is shared with everybody else who renders; whoever keeps count of it implements this. */

export interface SlotOrder {
  /** The same for all attempts at keeping one render's slots: asked again, it replaces what it had. */
  readonly id: string;
  /** Null: not known before calculateMetadata has run. */
  readonly frames: number | null;
  readonly urgency: 'interactive' | 'batch';
  readonly kind: 'still' | 'video';
}

export interface SlotLease {
  /** What the plan may invoke, the launch function not counted. */
  readonly functions: number;
  /** Without it the slots are free again after a while: whoever held them may have died. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

export interface SlotBudget {
  /** Null: there is no room now. */
  acquire(order: SlotOrder): Promise<SlotLease | null>;
  /** AWS refused an invocation because too many ran: the budget was too large. */
  throttled(): Promise<void>;
}
