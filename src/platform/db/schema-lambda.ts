/** Function slots of AWS, and who has them. */
export interface LambdaLimitTable {
  scope: string;
  slot_limit: number;
  ceiling: number;
  throttled_at: Date | null;
  grown_at: Date;
}

export interface LambdaLeaseTable {
  scope: string;
  id: string;
  token: string;
  urgency: 'interactive' | 'batch';
  functions: number;
  slots: number;
  start_slots: number;
  created_at: Date;
  expires_at: Date;
}
