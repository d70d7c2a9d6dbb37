/** Attempts that failed through the machine (a lost browser, a crash) before the export fails for good. */
export const maxFailedAttempts = 3;
