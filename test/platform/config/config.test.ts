import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeVariables, loadConfig } from '../../../src/platform/config/config.ts';

const messageOf = (environment: Record<string, string>): string => {
  try {
    loadConfig(environment);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('the configuration', () => {
  test('needs nothing: every variable has a default or may be absent', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      RENDER_MODE: 'local',
      ENVIRONMENT: 'development',
      ALLOWED_HOSTS: [],
    });
    expect(config.DATABASE_URL).toBeUndefined();
    expect(config.home).toBe(resolve('.rendermill'));
    expect(config.storageDirectory).toBe(resolve('.rendermill/storage'));
    expect(config.WORKER_CONCURRENCY).toBeGreaterThanOrEqual(1);
  });

  test('takes an empty variable, or one of spaces, as not set', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '  ', TRUST_PROXY: '' })).toMatchObject({
      PORT: 3000,
      TRUST_PROXY: false,
    });
  });

  test('reads numbers, switches, lists and folders', () => {
    const config = loadConfig({
      PORT: '0',
      TRUST_PROXY: 'true',
      ALLOWED_HOSTS: 'cdn.example.com, *.example.org,,',
      RENDERMILL_HOME: '/srv/mill',
      STORAGE_DIRECTORY: '/mnt/files',
      DATABASE_URL: 'postgres://a:b@db/x',
    });
    expect(config).toMatchObject({
      PORT: 0,
      TRUST_PROXY: 1,
      ALLOWED_HOSTS: ['cdn.example.com', '*.example.org'],
      home: '/srv/mill',
      storageDirectory: '/mnt/files',
    });
  });

  test('says everything that is wrong at once, by name', () => {
    const message = messageOf({
      PORT: 'http',
      WORKER_CONCURRENCY: '0',
      LOG_LEVEL: 'loud',
      REDIS_URL: 'localhost',
      RENDER_MODE: 'lambda',
    });
    for (const name of ['PORT', 'WORKER_CONCURRENCY', 'LOG_LEVEL', 'REDIS_URL', 'RENDER_MODE'])
      expect(message).toContain(`  ${name}: `);
  });

  test.each([
    ['PORT', '65536'],
    ['PORT', '3000.5'],
    ['PORT', '-1'],
    ['TRUST_PROXY', 'yes'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10'],
    ['RATE_LIMIT_SECRET_PER_MINUTE', '-1'],
    ['DATABASE_URL', 'mysql://x/y'],
    ['REDIS_URL', 'http://x'],
    ['PUBLIC_URL', 'ftp://x'],
    ['ENVIRONMENT', 'Über Produktion'],
    ['SHUTDOWN_SECONDS', 'soon'],
    ['QUEUE_LOCK_MS', '0'],
  ])('refuses %s=%s', (name, value) => {
    expect(messageOf({ [name]: value })).toContain(`  ${name}: `);
  });

  test('says what Lambda and S3 need besides', () => {
    expect(messageOf({ RENDER_MODE: 'lambda' })).toContain('RENDER_MODE: lambda needs LAMBDA_FUNCTION');
    expect(messageOf({ LAMBDA_FUNCTION: 'f' })).toContain('LAMBDA_FUNCTION, LAMBDA_BUCKET');
    expect(messageOf({ S3_ACCESS_KEY_ID: 'k' })).toContain('S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY');
    const whole = { RENDER_MODE: 'lambda', LAMBDA_FUNCTION: 'f', LAMBDA_BUCKET: 'b' };
    expect(loadConfig(whole)).toMatchObject(whole);
  });

  test('ignores what is not ours', () => {
    expect(loadConfig({ PATH: '/bin', port: '5' })).toMatchObject({ PORT: 3000 });
  });

  test('is frozen', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { PORT: 1 })).toThrow(TypeError);
  });

  test('has a sentence for every variable', () => {
    const described = describeVariables();
    expect(described.length).toBeGreaterThan(20);
    for (const { name, description } of described) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(description.length, name).toBeGreaterThan(15);
    }
  });
});
