/** A process with a lifecycle, for the tests to signal and to watch. What it does is named by its first argument. */
import { setTimeout as delay } from 'node:timers/promises';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { createLogger } from '../../../src/platform/log/log.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const forever = () => new Promise<void>(() => undefined);

const lifecycle = createLifecycle({ log: createLogger({ level: 'info' }), deadlineMs: 1_500 });
const stays = setInterval(() => undefined, 1_000);
const onStop = (name: string, stop: () => Promise<void> = async () => undefined) =>
  lifecycle.onStop(name, async () => {
    say(`stop ${name}`);
    await stop();
  });

lifecycle.stopping.addEventListener('abort', () => say(`stopping ${lifecycle.stopping.reason.code}`));
onStop('database');

const scenarios: Record<string, () => void> = {
  drains: () => onStop('worker', () => delay(100)),
  fails: () => onStop('worker', () => Promise.reject(new Error('the worker broke'))),
  hangs: () => onStop('worker', forever),
  'hangs with a last act': () => {
    lifecycle.onStop(
      'done',
      async () => say('stop done'),
      () => say('done at once'),
    );
    onStop('between');
    lifecycle.onStop('hanging', forever, () => say('hanging at once'));
    lifecycle.onStop(
      'quick',
      async () => say('stop quick'),
      () => say('quick at once'),
    );
  },
  throws: () => {
    setTimeout(() => {
      throw new Error('nobody caught this');
    }, 10);
  },
  rejects: () => {
    setTimeout(() => void Promise.reject(new Error('nobody awaited this')), 10);
  },
  'stops itself': () => {
    onStop('worker', async () => {
      say(`same promise in a handler ${lifecycle.stop('again') === first}`);
    });
    clearInterval(stays);
    const first = lifecycle.stop('done');
    say(`same promise ${lifecycle.stop('done once more') === first}`);
    onStop('late');
    first.then(() => {
      say('stopped');
      onStop('very late');
    });
  },
};

lifecycle.listenToSignals();
scenarios[process.argv[2] ?? '']?.();
say('ready');
