import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type SandboxWay, sandboxedCommand } from './sandbox-command.ts';

export type SandboxAnswer =
  | { readonly allowed: true; readonly way: SandboxWay }
  | { readonly allowed: false; readonly reason: string };

const ways: readonly SandboxWay[] = ['bubblewrap', 'unshare'];

/** Ends well only where /tmp is another folder than outside, is empty, and takes a file; and where /opt takes one, too. */
const probe = `
const fs = require('node:fs');
const { dev, ino } = fs.statSync('/tmp');
if (dev + ':' + ino === process.env.OUTSIDE_TMP) throw new Error('/tmp is the one of outside');
if (fs.readdirSync('/tmp').length > 0) throw new Error('/tmp is not empty');
fs.writeFileSync('/tmp/probe', '');
fs.writeFileSync('/opt/probe', '');
`;

/** Null where it works, else what was said against it. */
const tryWay = async (way: SandboxWay): Promise<string | null> => {
  const { program, args, environment } = sandboxedCommand(way, ['-e', probe]);
  try {
    await promisify(execFile)(program, [...args], {
      timeout: 20_000,
      env: { ...process.env, ...environment },
    });
    return null;
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    return `${way}: ${(stderr || message).trim().split('\n').slice(0, 3).join(' ')}`;
  }
};

const askOnce = async (allowed: readonly SandboxWay[]): Promise<SandboxAnswer> => {
  if (process.platform !== 'linux')
    return { allowed: false, reason: `there is no sandbox for ${process.platform}` };
  const problems: string[] = [];
  for (const way of allowed) {
    const problem = await tryWay(way);
    if (problem === null) return { allowed: true, way };
    problems.push(problem);
  }
  return { allowed: false, reason: problems.join('; ') };
};

let answer: Promise<SandboxAnswer> | null = null;

/** Whether processes can be given a /tmp of their own here, found out by trying, once per process. */
export const canSandbox = (): Promise<SandboxAnswer> => {
  answer ??= askOnce(ways);
  return answer;
};

/** One way only, tried anew. */
export const canSandboxBy = (way: SandboxWay): Promise<SandboxAnswer> => askOnce([way]);
