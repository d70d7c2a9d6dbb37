import type { ErrorEntry } from './error-entry.ts';
import { renderErrors } from './render-errors.ts';

/**
 * The error catalog: every failure that a client, a tenant's developer or an operator can meet, by code.
 *
 * `status` is the HTTP status (a render's own failure, which no request waits for, has 422), `retryable` says whether the same
 * work may succeed when it is tried again unchanged, `reportable` whether an operator should look at it. `text` is the public
 * text; a thrown error may carry a more precise public message. `docs/errors.md` is made from this file.
 */
export const catalog = {
  // The request
  invalid_request: { status: 400, retryable: false, reportable: false, text: 'The request is not valid.' },
  invalid_json: { status: 400, retryable: false, reportable: false, text: 'The body is not valid JSON.' },
  invalid_props: {
    status: 400,
    retryable: false,
    reportable: false,
    text: "The props do not fit the composition's schema.",
  },
  invalid_dimensions: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'The size asked for cannot be rendered.',
  },
  frame_out_of_range: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'The frame asked for lies outside the composition.',
  },
  unauthenticated: {
    status: 401,
    retryable: false,
    reportable: false,
    text: 'A valid API key is needed: Authorization: Bearer <key>.',
  },
  forbidden: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'This kind of API key may not do that.',
  },
  link_invalid: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'The signature of this link is not valid, or it has expired.',
  },
  daily_limit_reached: {
    status: 403,
    retryable: false,
    reportable: false,
    text: "The user's daily export limit is reached.",
  },
  insufficient_credits: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'The user has no credits left.',
  },
  duration_exceeds_tier: {
    status: 403,
    retryable: false,
    reportable: false,
    text: "The video is longer than the user's tier allows.",
  },
  size_exceeds_tier: {
    status: 403,
    retryable: false,
    reportable: false,
    text: "The picture has more pixels than the user's tier allows.",
  },
  not_found: { status: 404, retryable: false, reportable: false, text: 'There is no such thing here.' },
  composition_not_found: {
    status: 404,
    retryable: false,
    reportable: false,
    text: 'No such composition is registered.',
  },
  identity_token_invalid: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'The identity token is not valid, or it has expired.',
  },
  visitor_taken: { status: 409, retryable: false, reportable: false, text: 'Another user has this visitor.' },
  idempotency_conflict: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'This Idempotency-Key was used for another request.',
  },
  export_finished: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'The export has already ended.',
  },
  batch_running: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'The batch has not come to its end yet.',
  },
  batch_finished: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'The batch has already ended.',
  },
  nothing_to_retry: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'No cell of the batch has failed. Cells that were canceled are not rendered again.',
  },
  nothing_to_download: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'There is no finished file to put into the archive.',
  },
  layout_impossible: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'These files cannot be laid out in the folders that were asked for.',
  },
  csv_unreadable: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'The file cannot be read as CSV.',
  },
  rows_refused: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'Rows of the file are not valid, and nothing was imported.',
  },
  webhook_url_refused: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'Nothing may be sent to this URL.',
  },
  webhook_limit_reached: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'The organization cannot have more webhooks.',
  },
  replay_too_large: { status: 400, retryable: false, reportable: false, text: 'That is too much at once.' },
  event_name_taken: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'An event of this name is in the catalog already.',
  },
  event_schema_destructive: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'A newer schema of an event may only add to the older one.',
  },
  event_definitions_full: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'The organization cannot define more events.',
  },
  event_schema_invalid: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'The JSON Schema of the event cannot be used.',
  },
  // One event of a request; the others are judged by themselves
  event_malformed: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'The event cannot be read.',
  },
  event_too_large: { status: 413, retryable: false, reportable: false, text: 'The event is too large.' },
  event_source_refused: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'The event may not come from this source.',
  },
  event_owned_by_service: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'Only Rendermill itself records this event.',
  },
  event_unknown: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'Neither the catalog nor the organization knows an event of this name.',
  },
  event_misfits: {
    status: 422,
    retryable: false,
    reportable: false,
    text: "The properties do not fit the event's schema.",
  },
  event_schema_too_slow: {
    status: 422,
    retryable: false,
    reportable: false,
    text: "The event's own schema could not judge it in time.",
  },
  payload_too_large: { status: 413, retryable: false, reportable: false, text: 'The body is too large.' },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    reportable: false,
    text: 'The body must be application/json.',
  },
  range_not_satisfiable: {
    status: 416,
    retryable: false,
    reportable: false,
    text: 'The range lies outside the file.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    reportable: false,
    text: 'Too many requests within a minute. Try again when Retry-After says so.',
  },
  ...renderErrors,
  // The service
  service_overloaded: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'Too many renders are waiting. Try again later.',
  },
  render_mode_unavailable: {
    status: 400,
    retryable: false,
    reportable: false,
    text: 'This installation does not render in the mode asked for.',
  },
  render_mode_forbidden: {
    status: 403,
    retryable: false,
    reportable: false,
    text: 'The organization may not render in the mode asked for.',
  },
  file_expired: {
    status: 410,
    retryable: false,
    reportable: false,
    text: "The file was removed when its tier's retention ended. Render it again.",
  },
  bundle_failed: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'The Remotion project could not be bundled.',
  },
  file_damaged: {
    status: 500,
    retryable: false,
    reportable: true,
    text: 'The stored file is missing or damaged. Render it again.',
  },
  invalid_event: {
    status: 500,
    retryable: false,
    reportable: true,
    text: 'An event does not fit its schema.',
  },
  secrets_key_wrong: {
    status: 500,
    retryable: false,
    reportable: true,
    text: 'A secret cannot be decrypted with the keys of this process.',
  },
  invalid_configuration: {
    status: 500,
    retryable: false,
    reportable: false,
    text: 'The configuration is not valid.',
  },
  database_unavailable: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'The database cannot be reached. Try again shortly.',
  },
  queue_unavailable: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'The queue cannot be reached. Try again shortly.',
  },
  shutting_down: {
    status: 503,
    retryable: true,
    reportable: false,
    text: 'This process is shutting down. Try again shortly.',
  },
  internal: { status: 500, retryable: true, reportable: true, text: 'Something went wrong on our side.' },
} as const satisfies Record<string, ErrorEntry>;
