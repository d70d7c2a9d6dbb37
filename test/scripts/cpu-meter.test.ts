import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { measureWork } from '../../scripts/bench/scale/cpu-meter.ts';

/** Two dozen processes that live for some milliseconds each, then what the shell knows of them: "0m0.52s 0m0.03s". */
const script = `
  busy='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'
  read go
  n=0; while [ $n -lt 24 ]; do sh -c "$busy"; n=$((n+1)); done
  times; read stay`;

const secondsOf = (text: string): number =>
  [...text.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);

test('processes that come and go between two looks are counted', async () => {
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  try {
    let known = 0;
    const { cpuSeconds } = await measureWork([Number(shell.pid)], async () => {
      shell.stdin.write('go\n');
      // Its own line, then that of its children.
      for (let line = 0; line < 2; line += 1) known += secondsOf((await lines.next()).value ?? '');
    });
    expect(known).toBeGreaterThan(0.1);
    expect(Math.abs(cpuSeconds - known)).toBeLessThan(0.1);
  } finally {
    shell.stdin.end();
  }
});
