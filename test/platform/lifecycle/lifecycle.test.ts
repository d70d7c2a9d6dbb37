import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { createLogger } from '../../../src/platform/log/log.ts';

const script = join(import.meta.dirname, 'process-in-child.ts');
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const startProcess = (scenario: string) => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, scenario], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  let logs = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    logs += data;
  });
  return {
    says: (line: string) => expect.poll(() => output.split('\n'), { timeout: 10_000 }).toContain(line),
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    ended: async () => {
      const [code, signal] = await once(child, 'close');
      const lines = output.trimEnd().split('\n');
      const logged = logs
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      return { code: code ?? signal, lines, logged };
    },
  };
};

describe('the lifecycle of a process', { timeout: 20_000 }, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'drains at the first %s, in reverse order, and ends with 0',
    async (signal) => {
      const running = startProcess('drains');
      await running.says('ready');
      running.signal(signal);
      const { code, lines, logged } = await running.ended();
      expect(code).toBe(0);
      expect(lines).toEqual(['ready', 'stopping shutting_down', 'stop worker', 'stop database']);
      const stopped = logged.filter(({ msg }) => msg === 'stopped worker');
      expect(stopped).toMatchObject([{ handler: 'worker', durationMs: expect.any(Number) }]);
      expect(stopped[0].durationMs).toBeGreaterThanOrEqual(99);
    },
  );

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once at a second signal: %s', async (second, expected) => {
    const running = startProcess('hangs');
    await running.says('ready');
    running.signal('SIGTERM');
    await running.says('stop worker');
    running.signal(second);
    const { code, lines } = await running.ended();
    expect(code).toBe(expected);
    expect(lines).not.toContain('stop database');
  });

  it('does at once, synchronously, what has not stopped yet when it ends before its stop', async () => {
    const running = startProcess('hangs with a last act');
    await running.says('ready');
    running.signal('SIGTERM');
    await running.says('stop quick');
    running.signal('SIGTERM');
    const { code, lines } = await running.ended();
    expect(code).toBe(143);
    expect(lines.slice(-3)).toEqual(['stop quick', 'done at once', 'hanging at once']);
  });

  it('logs a handler that fails, runs the others, and ends with 1', async () => {
    const running = startProcess('fails');
    await running.says('ready');
    running.signal('SIGTERM');
    const { code, lines, logged } = await running.ended();
    expect(code).toBe(1);
    expect(lines).toContain('stop database');
    const failed = logged.find(({ msg }) => msg === 'could not stop worker');
    expect(failed).toMatchObject({ handler: 'worker', err: { message: 'the worker broke' } });
  });

  it('ends with 1 when the deadline passes', async () => {
    const running = startProcess('hangs');
    await running.says('ready');
    running.signal('SIGTERM');
    const { code, logged } = await running.ended();
    expect(code).toBe(1);
    expect(logged.at(-1)).toMatchObject({ deadlineMs: 1_500 });
  });

  it.each([
    ['throws', 'uncaught exception; stopping', 'nobody caught this'],
    ['rejects', 'unhandled rejection; stopping', 'nobody awaited this'],
  ])('stops and ends with 1 when something %s that nobody catches', async (scenario, msg, message) => {
    const { code, lines, logged } = await startProcess(scenario).ended();
    expect(code).toBe(1);
    expect(lines).toContain('stop database');
    expect(logged.find((entry) => entry.msg === msg)).toMatchObject({ level: 60, err: { message } });
  });

  it('can be stopped by its own program: once for all callers, latecomers included, without ending the process', async () => {
    const { code, lines } = await startProcess('stops itself').ended();
    expect(code).toBe(0);
    expect(lines).toEqual([
      'stopping shutting_down',
      'same promise true',
      'ready',
      'stop late',
      'stop worker',
      'same promise in a handler true',
      'stop database',
      'stopped',
      'stop very late',
    ]);
  });

  it('leaves signals alone until it is asked to listen', () => {
    const before = process.listenerCount('SIGTERM');
    const lifecycle = createLifecycle({ log: createLogger({ level: 'silent' }), deadlineMs: 1_000 });
    expect(process.listenerCount('SIGTERM')).toBe(before);
    expect(lifecycle.stopping.aborted).toBe(false);
  });
});
