import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeVariables } from '../../../src/platform/config/config.ts';
import { runCommand } from './run-command.ts';

const commands = [
  'up',
  'api',
  'worker',
  'migrate',
  'doctor',
  'render',
  'campaign',
  'import-csv',
  'zip',
  'bundle',
  'compositions',
  'organizations',
  'keys',
  'events',
];

describe('help', () => {
  it('lists every command and every variable', async () => {
    const { exitCode, out } = await runCommand(['--help']);
    const text = out.join('\n');
    expect(exitCode).toBe(0);
    for (const name of commands) expect(text).toMatch(new RegExp(`^  ${name} `, 'm'));
    for (const { name } of describeVariables()) expect(text).toContain(`  ${name} `);
    expect(text).toContain('RENDERMILL_API_KEY');
  });

  it.each(commands)('of %s shows examples and the variables that matter', async (name) => {
    const { exitCode, out } = await runCommand([name, '--help']);
    expect(exitCode).toBe(0);
    expect(out.join('\n')).toMatch(/Examples:\n {2}\S[\s\S]*Environment variables/);
  });
});

describe('a usage error leaves with 2 and says what was expected', () => {
  it.each([
    [[], 'Usage: rendermill'],
    [['nonsense'], "unknown command 'nonsense'"],
    [['up', '--nonsense'], "unknown option '--nonsense'"],
    [['render'], "missing required argument 'composition'"],
    [['worker', '--concurrency', '0'], 'Expected a whole number from 1'],
    [['worker', '--queues', 'render,mail'], 'There is no queue "mail"; expected some of render, campaign'],
    [['render', 'x', '--frames', '9'], 'Expected two frames, such as 0-89'],
    [['render', 'x', '--format', 'tiff'], 'Allowed choices are png'],
    [['keys', 'create'], "required option '--organization <id>'"],
    [['keys', 'create', '--organization', 'a', '--kind', 'other'], 'Allowed choices are secret'],
  ])('%j', async (args, text) => {
    const { exitCode, out, err } = await runCommand(args);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: [] });
    expect(err.join('\n')).toContain(text);
  });
});

describe('a failure leaves with 1 and one sentence', () => {
  it.each([
    [
      'every wrong variable',
      ['migrate'],
      { PORT: 'x', LOG_LEVEL: 'loud' },
      /not valid:\n {2}PORT: .*\n {2}LOG_LEVEL: /,
    ],
    ['props that are not JSON', ['render', 'x', '--props', '{'], {}, /--props: its value is not JSON/],
    ['props that are no object', ['render', 'x', '--props', '[]'], {}, /not a JSON object/],
    [
      'a file of props that is missing',
      ['render', 'x', '--props', '@/nowhere.json'],
      {},
      /--props: \/nowhere.json cannot be read/,
    ],
    ['no key', ['render', 'x'], { RENDERMILL_HOME: '/nowhere' }, /No API key: give --key/],
    ['no URL', ['render', 'x', '--url', 'localhost:3000', '--key', 'k'], {}, /"localhost:3000" is not a URL/],
    [
      'a database that is away',
      ['migrate'],
      { DATABASE_URL: 'postgres://127.0.0.1:9/x' },
      /database cannot be reached.*ECONNREFUSED/,
    ],
  ])('of %s', async (_name, args, environment, text) => {
    const { exitCode, out, err } = await runCommand(args, environment);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
    expect(err.join('\n')).toMatch(text);
    expect(err.join('\n')).not.toMatch(/^\s+at /m);
  });

  it('and the stack where LOG_LEVEL=debug asks for it', async () => {
    const { err } = await runCommand(['render', 'x', '--props', '{'], { LOG_LEVEL: 'debug' });
    expect(err.join('\n')).toMatch(/^\s+at /m);
  });
});

describe('scripts/rendermill', () => {
  it('runs by a symlink, from any folder, whatever its name, and reads the .env file there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rendermill cli %41#'));
    try {
      const clone = join(folder, 'clone');
      await cp('scripts/rendermill', join(clone, 'scripts/rendermill'));
      for (const name of ['src', 'node_modules', 'package.json', 'tsconfig.json'])
        await symlink(resolve(name), join(clone, name));
      await symlink('clone/scripts/rendermill', join(folder, 'link'));
      await writeFile(join(folder, '.env'), 'PORT=from-the-file\n');
      const run = promisify(execFile)('./link', ['migrate'], { cwd: folder });
      const failure = await run.catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('PORT:') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
