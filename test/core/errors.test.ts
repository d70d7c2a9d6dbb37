import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCatalog, RendermillError } from '../../src/core/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const codes = Object.keys(errorCatalog) as ErrorCode[];

/** The rows of the table in docs/errors.md by code. */
const documented = (): Map<string, readonly string[]> => {
  const rows = readFileSync(`${root}docs/errors.md`, 'utf8').matchAll(
    /^\| `(.+?)` \| (.+?) \| (.+?) \| (.+) \|$/gm,
  );
  return new Map([...rows].map(([, code = '', ...cells]) => [code, cells]));
};

describe('the error catalog', () => {
  test.each(codes)('%s has a status, a sentence for everyone, and is in docs/errors.md as it is', (code) => {
    const { status, retryable, text } = errorCatalog[code];
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThanOrEqual(599);
    expect(text).toMatch(/^[A-Z].*[.…]$/);
    expect(documented().get(code)).toEqual([
      String(status),
      retryable ? 'yes' : 'no',
      text.replaceAll('<', '&lt;'),
    ]);
  });

  test('has every code that docs/errors.md tells of', () => {
    expect([...documented().keys()].filter((code) => !Object.hasOwn(errorCatalog, code))).toEqual([]);
  });

  test('and its page are compared by the script as well', async () => {
    const script = ['--import', 'tsx', 'scripts/generate-docs.ts', '--check'];
    await expect(promisify(execFile)(process.execPath, script, { cwd: root })).resolves.toBeDefined();
  });

  test('asks for another try where the service is away, and never for a request that was refused', () => {
    for (const code of codes) {
      const { status, retryable } = errorCatalog[code];
      if (status === 503 || status === 429) expect(retryable, code).toBe(true);
      if (status >= 400 && status < 422) expect(retryable, code).toBe(false);
    }
  });
});

describe('an error', () => {
  test('has the text of the catalog unless it knows better', () => {
    expect(new RendermillError('not_found').message).toBe(errorCatalog.not_found.text);
    expect(new RendermillError('not_found', { message: 'There is no export "7".' }).message).toBe(
      'There is no export "7".',
    );
  });

  test('has the status and the retryability of its code, and keeps its cause', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new RendermillError('database_unavailable', { cause, details: { host: 'db' } });
    expect(error).toMatchObject({
      status: 503,
      retryable: true,
      cause,
      details: { host: 'db' },
      name: 'RendermillError',
    });
  });

  test('without a cause has none, so that nothing looks for one', () => {
    expect('cause' in new RendermillError('internal')).toBe(false);
  });
});
