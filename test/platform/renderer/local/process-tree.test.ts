import { expect, it } from 'vitest';
import { keepsFilesIn } from '../../../../src/platform/renderer/local/processes/belongings.ts';
import { parsePssKb } from '../../../../src/platform/renderer/local/processes/memory.ts';
import {
  isLiving,
  isSameLiving,
  type ProcessEntry,
  parseStat,
  readProcess,
} from '../../../../src/platform/renderer/local/processes/process-table.ts';
import { browserOf, treeOf } from '../../../../src/platform/renderer/local/processes/process-tree.ts';

const stat = (name: string) =>
  `4711 (${name}) S 12 4700 4700 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200 18446744073709551615`;

it.each(['node', 'Web Content', 'a) S 1 (b', '(sd-pam)'])(
  'reads the stat line of a program named %s',
  (name) => {
    expect(parseStat(stat(name))).toEqual({
      pid: 4711,
      parentPid: 12,
      groupId: 4700,
      state: 'S',
      startTicks: 987654,
    });
  },
);

it.each(['', 'nonsense', '12 (cut'])('takes %j for no process', (line) => {
  expect(parseStat(line)).toBeNull();
});

const entry = (pid: number, parentPid: number, groupId: number, state = 'S'): ProcessEntry => ({
  pid,
  parentPid,
  groupId,
  state,
  startTicks: pid * 10,
});

const table = new Map(
  [
    entry(1, 0, 1),
    entry(100, 1, 100),
    entry(200, 100, 200),
    entry(201, 200, 200),
    entry(210, 200, 210),
    entry(211, 210, 210),
    entry(212, 200, 200, 'Z'),
    entry(300, 100, 300),
  ].map((each) => [each.pid, each]),
);

it('finds the living processes below a child, itself included', () => {
  expect(treeOf(table, 200).map(({ pid }) => pid)).toEqual([200, 201, 210, 211]);
  expect(treeOf(table, 999)).toEqual([]);
});

it('knows the browser by its own process group', () => {
  expect(browserOf(table, 200)?.pid).toBe(210);
  expect(browserOf(table, 300)).toBeNull();
});

it('takes neither a zombie nor another process with the same pid for alive', () => {
  expect(isLiving(entry(5, 1, 5, 'Z'))).toBe(false);
  expect(isSameLiving(entry(5, 1, 5), 50)).toBe(true);
  expect(isSameLiving(entry(5, 1, 5), 51)).toBe(false);
  expect(isSameLiving(null, 50)).toBe(false);
});

it('reads this very process', async () => {
  expect(await readProcess(process.pid)).toMatchObject({ pid: process.pid, parentPid: process.ppid });
  expect(await readProcess(2 ** 22 + 1)).toBeNull();
});

it.each([
  ['its TMPDIR', ['PATH=/bin', 'TMPDIR=/w/c'], [], true],
  ['a profile below it', [], ['chrome', '--user-data-dir=/w/c/profile-1'], true],
  ['a neighbour', [], ['chrome', '--user-data-dir=/w/c2/profile-1'], false],
  ["an operator's look into it", ['TMPDIR=/tmp'], ['tail', '-f', '/w/c/log'], false],
])('judges by %s whether a process belongs to a folder', (_, environment, args, expected) => {
  expect(keepsFilesIn('/w/c', environment, args)).toBe(expected);
});

it('reads the proportional set size', () => {
  expect(parsePssKb('Rss:  2000 kB\nPss:     1234 kB\nPss_Dirty: 9 kB\n')).toBe(1234);
  expect(parsePssKb('')).toBe(0);
});
