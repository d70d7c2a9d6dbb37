import type { ErrorEntry } from './error-entry.ts';

/** The part of the error catalog that a render can come to; no request waits for one, so 422 stands for all of them. */
export const renderErrors = {
  // A render that went wrong through the composition or its props: the same again would fail again
  composition_error: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'The composition threw an error.',
  },
  delay_render_timeout: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'A delayRender() was not continued in time.',
  },
  asset_missing: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'An image, a video, a sound or a font could not be loaded.',
  },
  network_blocked: {
    status: 422,
    retryable: false,
    reportable: false,
    text: 'The composition asked for an address that the allow-list does not permit.',
  },
  render_timeout: {
    status: 422,
    retryable: false,
    reportable: true,
    text: 'The render took longer than is allowed.',
  },
  render_out_of_memory: {
    status: 422,
    retryable: false,
    reportable: true,
    text: 'The render needed more memory than is allowed.',
  },

  // A render that went wrong through the machine: worth another attempt
  browser_lost: {
    status: 422,
    retryable: true,
    reportable: true,
    text: 'The browser was lost during the render.',
  },
  render_stalled: {
    status: 422,
    retryable: true,
    reportable: true,
    text: 'The render stopped making progress.',
  },
  render_crashed: {
    status: 422,
    retryable: true,
    reportable: true,
    text: 'The render process ended unexpectedly.',
  },
  render_failed: {
    status: 422,
    retryable: true,
    reportable: true,
    text: 'The render failed for a reason that was not recognised.',
  },
  render_abandoned: {
    status: 422,
    retryable: false,
    reportable: true,
    text: 'The render was started too often without coming to an end.',
  },
  function_killed: {
    status: 422,
    retryable: true,
    maxAttempts: 2,
    reportable: true,
    text: 'The Lambda function was killed during the render; the usual reason is too little memory.',
  },
  lambda_unavailable: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'AWS could not be reached, or failed on its side.',
  },
  lambda_throttled: {
    status: 503,
    retryable: true,
    reportable: false,
    text: 'AWS Lambda has no room for this render now.',
  },
  lambda_misconfigured: {
    status: 500,
    retryable: false,
    reportable: true,
    text: 'The Lambda set-up does not fit: its function, its site, its permissions or its limits.',
  },
  render_mode_unserved: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'No worker renders in this mode at present. Try again later, or in another mode.',
  },
  disk_full: { status: 507, retryable: true, reportable: true, text: 'The disk is full.' },
  storage_unavailable: {
    status: 503,
    retryable: true,
    reportable: true,
    text: 'The storage of finished files cannot be reached. Try again shortly.',
  },

  // Control flow of a render: not failures
  render_canceled: { status: 409, retryable: false, reportable: false, text: 'The export was canceled.' },
  render_lost: {
    status: 409,
    retryable: false,
    reportable: false,
    text: 'Another worker has taken this render over.',
  },
} as const satisfies Record<string, ErrorEntry>;
