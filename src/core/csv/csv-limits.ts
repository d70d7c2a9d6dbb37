/** What a file may be. Beyond it a file is more likely broken, or hostile, than large. */

/** Bytes of an uploaded file. */
export const maxFileBytes = 100 * 1024 * 1024;
export const maxColumns = 1_000;
/** Bytes of one record, in UTF-8: an open quote swallows all that follows, and would otherwise be read into memory. */
export const maxRecordBytes = 1024 * 1024;
/** More are counted, not listed. */
export const maxListedProblems = 1_000;
/** Rows of a dry run that are shown as they were understood. */
export const previewRows = 3;
