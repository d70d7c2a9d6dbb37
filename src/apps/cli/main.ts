/** The entry point of every process of ours. A `.env` file in the working directory fills in what the environment does not say. */
import { existsSync } from 'node:fs';
import { runCli } from './run-cli.ts';
import { systemTerminal } from './terminal.ts';

if (existsSync('.env')) process.loadEnvFile('.env');
process.exitCode = await runCli(process.argv.slice(2), systemTerminal());
