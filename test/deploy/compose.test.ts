import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeVariables } from '../../src/platform/config/config.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { test?: readonly string[]; disable?: boolean };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly container_name?: string;
  readonly shm_size?: string;
  readonly stop_grace_period?: string;
  readonly restart?: string;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(text, { merge: true }) as {
  services: Record<'setup' | 'api' | 'worker' | 'dispatcher' | 'postgres' | 'redis', Service>;
  volumes: Record<string, unknown>;
};
const { setup, api, worker, dispatcher, postgres, redis } = compose.services;
const ours = { setup, api, worker };
const known = new Set<string>(describeVariables().map(({ name }) => name));

describe('docker-compose.yml', () => {
  it('has the six services', () => {
    expect(Object.keys(compose.services)).toEqual([
      'setup',
      'api',
      'worker',
      'dispatcher',
      'postgres',
      'redis',
    ]);
  });

  it.each(Object.entries({ ...ours, dispatcher }))(
    'gives %s only variables that the configuration reads',
    (name, service) => {
      const own = name === 'setup' ? ['ORGANIZATION'] : [];
      expect(
        Object.keys(service.environment ?? {}).filter(
          (variable) => !known.has(variable) && !own.includes(variable),
        ),
      ).toEqual([]);
      expect(service.environment).toMatchObject({
        DATABASE_URL: expect.any(String),
        REDIS_URL: 'redis://redis:6379',
      });
    },
  );

  it('holds no secret: the password comes from the environment or nothing starts', () => {
    expect(postgres.environment?.POSTGRES_PASSWORD).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
    expect(text).not.toMatch(/rm_(sk|pk|ak)_|PASSWORD: *[A-Za-z0-9]/);
    expect(api.environment?.DATABASE_URL).toContain(':${POSTGRES_PASSWORD:?');
  });

  it('runs a Redis that forgets nothing', () => {
    expect(redis.command?.join(' ')).toBe('redis-server --maxmemory-policy noeviction --appendonly yes');
    expect(redis.volumes).toEqual(['redis:/data']);
  });

  it('runs a Postgres of 15 or later that keeps its data', () => {
    expect(Number(/^postgres:(\d+)/.exec(postgres.image)?.[1])).toBeGreaterThanOrEqual(15);
    expect(postgres.volumes).toEqual(['postgres:/var/lib/postgresql/data']);
  });

  it('waits for what is healthy and for the setup', () => {
    for (const service of [api, worker]) {
      expect(service.depends_on).toEqual({
        setup: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
    expect(postgres.healthcheck?.test).toBeDefined();
    expect(redis.healthcheck?.test).toBeDefined();
  });

  it('lets there be many workers, each with shared memory and the time to end its renders', () => {
    expect(worker.ports).toBeUndefined();
    expect(worker.container_name).toBeUndefined();
    expect(worker.healthcheck).toEqual({ disable: true });
    expect(worker.shm_size).toBe('2gb');
    expect(Number.parseInt(worker.stop_grace_period ?? '0', 10)).toBeGreaterThan(
      Number(worker.environment?.SHUTDOWN_SECONDS) + 15,
    );
  });

  it('has workers for both queues', () => {
    expect(worker.command).toEqual(['worker', '--queues', 'render,campaign']);
  });

  it('shares the storage, in a volume that is declared', () => {
    for (const service of Object.values(ours))
      expect(service.volumes).toEqual(['storage:/var/lib/rendermill/storage']);
    const used = Object.values(compose.services).flatMap((service) => service.volumes ?? []);
    expect(Object.keys(compose.volumes).sort()).toEqual(
      [...new Set(used.map((one) => one.split(':')[0]))].sort(),
    );
  });

  it('starts again what ends, but not what is done', () => {
    expect([api, worker, postgres, redis].map((service) => service.restart)).toEqual(
      Array(4).fill('unless-stopped'),
    );
    expect(setup.restart).toBe('on-failure');
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const runtime = dockerfile.slice(dockerfile.indexOf('AS runtime'));

  it('has what a render needs', () => {
    for (const name of [
      'chromium-headless-shell',
      'util-linux',
      'tini',
      'fonts-liberation',
      'fonts-noto-core',
      'fonts-noto-color-emoji',
      'ca-certificates',
    ]) {
      expect(runtime).toMatch(new RegExp(`^ +${name} `, 'm'));
    }
  });

  it('runs as a plain user, below an init', () => {
    expect(/^USER (.*)$/m.exec(runtime)?.[1]).toBe('node');
    expect(runtime).toContain('ENTRYPOINT ["tini", "--", "node", "dist/apps/cli/main.js"]');
    expect(runtime.indexOf('chown -R node:node')).toBeLessThan(runtime.indexOf('USER node'));
  });

  it('sets only variables that the configuration reads, and Node its own', () => {
    const set = [...(/^ENV ([\s\S]*?[^\\])\n/m.exec(runtime)?.[1]?.matchAll(/([A-Z_]+)=/g) ?? [])].map(
      (match) => match[1],
    );
    expect(set).toContain('BROWSER_EXECUTABLE');
    expect(set.filter((name) => name !== 'NODE_ENV' && !known.has(name ?? ''))).toEqual([]);
  });

  it('copies only what .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
      (match) => match[1]?.split(' ') ?? [],
    );
    expect(copied.length).toBeGreaterThan(4);
    expect(copied.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});
