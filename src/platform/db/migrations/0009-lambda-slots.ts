/** Function slots of an AWS account and region, shared by all workers. */
export const lambdaSlots = `
CREATE TABLE lambda_limit (
  -- The account and region that share one limit.
  scope        text PRIMARY KEY,
  -- What may run at once now, learned from what AWS refuses; and what may at most.
  slot_limit   integer NOT NULL,
  ceiling      integer NOT NULL,
  throttled_at timestamptz,
  -- Up to when its growth is counted.
  grown_at     timestamptz NOT NULL
);

CREATE TABLE lambda_lease (
  scope       text NOT NULL REFERENCES lambda_limit,
  -- The render.
  id          text NOT NULL,
  -- Of whoever holds it now: the one before can neither renew nor release.
  token       uuid NOT NULL,
  urgency     text NOT NULL CHECK (urgency IN ('interactive', 'batch')),
  functions   integer NOT NULL,
  slots       integer NOT NULL,
  -- In its first seconds: the function that took the order runs as well.
  start_slots integer NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (scope, id)
);
`;
