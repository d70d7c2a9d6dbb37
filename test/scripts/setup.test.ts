import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const runSetup = (
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Outcome> =>
  run(script, args, { env, cwd }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout, errors: stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout, errors: stderr }),
  );

describe('scripts/setup', { timeout: 20_000 }, () => {
  /** A checkout with one package, and a PATH on which only what the test puts there can be found. */
  let checkout: string;
  let tools: string;

  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'setup-test-'));
    tools = join(checkout, 'tools');
    await mkdir(tools);
    await mkdir(join(checkout, 'scripts'));
    await cp(join(repository, 'scripts/setup'), join(checkout, 'scripts/setup'));
    for (const name of [
      'bash',
      'env',
      'dirname',
      'uname',
      'grep',
      'id',
      'mktemp',
      'rm',
      'mkdir',
      'tail',
      'touch',
    ]) {
      await symlink((await run('which', [name])).stdout.trim(), join(tools, name));
    }
    await symlink(process.execPath, join(tools, 'node'));
    for (const name of ['redis-server', 'unzip', 'zip', 'setpriv', 'bwrap', 'ffmpeg', 'browser'])
      await tool(name, 'exit 0');
    await tool('fc-list', 'printf "Liberation Sans\\nNoto Color Emoji\\n"');
    await packages('1.0.0', '1.0.0');
  });
  afterEach(() => rm(checkout, { recursive: true }));

  /** What stands there is removed first: it may be a symlink, and writing through it would replace the machine's own program. */
  const tool = async (name: string, script: string) => {
    await rm(join(tools, name), { force: true });
    await writeFile(join(tools, name), `#!/bin/bash\n${script}\n`, { mode: 0o755, flag: 'wx' });
  };
  const packages = async (wanted: string, installed: string) => {
    const lock = (version: string) => ({
      packages: {
        'node_modules/one': { version, integrity: version },
        'node_modules/elsewhere': { version: '1.0.0', optional: true },
      },
    });
    await mkdir(join(checkout, 'node_modules/one'), { recursive: true });
    await writeFile(join(checkout, 'node_modules/one/package.json'), '{}');
    const { 'node_modules/one': one } = lock(installed).packages;
    await writeFile(
      join(checkout, 'node_modules/.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/one': one } }),
    );
    await writeFile(join(checkout, 'package-lock.json'), JSON.stringify(lock(wanted)));
  };
  const setup = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
    runSetup(
      join(checkout, 'scripts/setup'),
      args,
      { PATH: tools, BROWSER_EXECUTABLE: join(tools, 'browser'), ...env },
      tmpdir(),
    );
  const nothing = { code: 0, output: '', errors: '' };

  it('has nothing to do on a machine that is set up, from any folder and with any home', async () => {
    const env = { ...process.env, HOME: '/nonexistent' };
    const outcome = await runSetup(join(repository, 'scripts/setup'), [], env, tmpdir());
    expect(outcome).toEqual(nothing);
  });

  it('is silent where nothing is missing; packages for other platforms are not', async () => {
    expect(await setup()).toEqual(nothing);
    expect(await setup(['--check'])).toEqual(nothing);
  });

  it('prints a line for each thing that is missing, and installs nothing, when asked to check', async () => {
    for (const name of ['redis-server', 'unzip', 'zip', 'setpriv', 'bwrap', 'ffmpeg', 'fc-list'])
      await rm(join(tools, name));
    await tool('npm', `touch "${checkout}/called"`);
    await packages('1.0.1', '1.0.0');
    const { code, output } = await setup(['--check']);
    expect(code).toBe(1);
    const expected = ['the npm packages', 'redis-server', ': ffmpeg', ': unzip', ': zip'];
    if (process.platform === 'linux')
      expected.push('fonts-liberation', 'fonts-noto-color-emoji', 'setpriv', ': bubblewrap');
    for (const text of expected) expect(output).toContain(text);
    expect(output.trimEnd().split('\n')).toHaveLength(expected.length);
    await expect(run('ls', [join(checkout, 'called')])).rejects.toThrow();
  });

  it.each([
    ['v18', '18.20.8', false],
    ['an early v20', '20.18.0', false],
    ['v20', '20.19.0', true],
    ['v21', '21.7.3', false],
    ['an early v22', '22.11.0', false],
    ['v22', '22.12.0', true],
    ['v26', '26.0.0', true],
  ])('knows whether %s of Node will do', async (_, version, fits) => {
    await rm(join(tools, 'node'));
    const pretend = `Object.defineProperty(process.versions, "node", { value: "${version}" });`;
    await tool('node', `[[ $1 == -e ]] && exec "${process.execPath}" -e '${pretend}'"$2"`);
    const { code, errors } = await setup();
    expect(code).toBe(fits ? 0 : 1);
    if (!fits) expect(errors).toContain(`found: ${version}`);
  });

  it('says that Node is missing where there is none', async () => {
    await rm(join(tools, 'node'));
    expect(await setup()).toMatchObject({ code: 1, errors: expect.stringContaining('found: none') });
    expect(await setup(['--check'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('Node 20.19'),
    });
  });

  it.each([
    ['are missing', () => rm(join(checkout, 'node_modules'), { recursive: true })],
    ['are of other versions', () => packages('1.0.1', '1.0.0')],
    ['have lost a folder', () => rm(join(checkout, 'node_modules/one'), { recursive: true })],
  ])('runs npm ci when the packages %s, and says so', async (_, spoil) => {
    await spoil();
    await tool('npm', `echo noise; [[ $1 == ci ]] && echo "$@" >"${checkout}/called"; true`);
    const { code, output } = await setup();
    expect(code).toBe(0);
    expect(output).toMatch(/^setup: installed the npm packages \(npm ci, \d+ s\)\n$/);
    expect((await run('cat', [join(checkout, 'called')])).stdout).toContain('ci --include=dev');
  });

  it('shows what npm said, and fails, when npm does', async () => {
    await packages('1.0.1', '1.0.0');
    await tool('npm', '[[ $1 == ci ]] && echo "the registry is away" && exit 1; true');
    expect(await setup()).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringContaining('the registry is away'),
    });
  });

  it.each(['redis-server', 'ffmpeg', 'unzip', 'zip'])(
    'goes on without %s, with a sentence of what to install by hand',
    async (name) => {
      await rm(join(tools, name));
      const { code, errors } = await setup();
      expect(code).toBe(0);
      expect(errors).toMatch(new RegExp(`^setup: not installed: ${name} .*by hand\\.\\n$`));
    },
  );

  it('updates the package lists once, and installs only what is missing and what there is', async () => {
    for (const name of ['redis-server', 'zip', 'fc-list']) await rm(join(tools, name));
    const log = join(checkout, 'apt.log');
    await tool('id', 'echo 0');
    await tool('tee', 'exec cat');
    await tool('chmod', 'exit 0');
    await tool('apt-get', `echo "$DEBIAN_FRONTEND $*" >>"${log}"`);
    await tool(
      'apt-cache',
      '[[ $2 == fonts-liberation ]] && echo "Candidate: (none)" || echo "Candidate: 1.0"',
    );
    await tool('dpkg-query', '[[ $1 == -W && $2 != -f ]]');
    await setup();
    const calls = (await run('cat', [log])).stdout.trimEnd().split('\n');
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatch(/^noninteractive .* update$/);
    const wanted =
      process.platform === 'linux' ? 'fonts-noto-color-emoji redis-server zip' : 'redis-server zip';
    expect(calls[1]).toMatch(new RegExp(`install --no-install-recommends ${wanted}$`));
  });

  it('refuses an option that it does not know', async () => {
    expect((await setup(['--chekc'])).code).toBe(2);
  });
});
