import { extensionOf, type OutputFormat } from '../../core/output.ts';

/** Everything that the attempts of one export ever put into storage lies under this. */
export const artifactPrefix = (organizationId: string, exportId: string): string =>
  `artifacts/${organizationId}/${exportId}/`;

/** Each start writes a name of its own, so that a worker which lost its job can never overwrite the holder's file. */
export const artifactKey = (
  given: { organizationId: string; exportId: string; epoch: number; attempt: number },
  format: OutputFormat,
): string =>
  `${artifactPrefix(given.organizationId, given.exportId)}${given.epoch}-${given.attempt}.${extensionOf(format)}`;
