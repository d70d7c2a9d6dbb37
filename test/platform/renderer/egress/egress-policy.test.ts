import { describe, expect, it } from 'vitest';
import { normalizeHost } from '../../../../src/platform/egress/host-name.ts';
import { refuseAddress } from '../../../../src/platform/egress/public-address.ts';
import { parseAllowedHosts } from '../../../../src/platform/renderer/egress/allowed-hosts.ts';
import { createEgressPolicy } from '../../../../src/platform/renderer/egress/egress-policy.ts';

const answering = (...addresses: string[]) => ({
  resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
});

describe('normalizeHost', () => {
  it.each([
    ['CDN.Example.com.', 'cdn.example.com'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:127.0.0.1', '::ffff:7f00:1'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['localhost.', 'localhost'],
    ['①②⑦.⓪.⓪.①', '127.0.0.1'],
  ])('reads %s as %s', (host, expected) => expect(normalizeHost(host)).toBe(expected));

  it.each([
    '',
    '.',
    'a b',
    'user@host',
    'host/path',
    'host:80',
    'fe80::1%eth0',
    'a?b',
    'a#b',
    'a\\b',
    '999.1.1.1',
  ])('finds no host in "%s"', (host) => expect(normalizeHost(host)).toBeNull());
});

describe('refuseAddress', () => {
  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2001:0:53aa:64c::1',
    '2001:db8::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'nonsense',
  ])('refuses %s', (address) => expect(refuseAddress(address)).toContain('not a public address'));

  it.each(['8.8.8.8', '93.184.216.34', '2606:4700:4700::1111'])('permits %s', (address) =>
    expect(refuseAddress(address)).toBeNull(),
  );
});

describe('parseAllowedHosts', () => {
  it.each([
    [['cdn.example.com'], 'cdn.example.com', true],
    [['cdn.example.com'], 'a.cdn.example.com', false],
    [['cdn.example.com'], 'evilcdn.example.com', false],
    [['*.example.com'], 'a.b.example.com', true],
    [['*.example.com'], 'example.com', false],
    [['*.example.com'], 'evilexample.com', false],
    [['*'], 'anything.example', true],
    [['CDN.Example.com.'], 'cdn.example.com', true],
    [[], 'cdn.example.com', false],
  ])('%j and %s: %s', (patterns, host, expected) => expect(parseAllowedHosts(patterns)(host)).toBe(expected));

  it.each(['https://example.com', 'example.com/path', 'example.com:443', 'a.*.com', '', '**'])(
    'calls "%s" a mistake of the configuration',
    (pattern) =>
      expect(() => parseAllowedHosts([pattern])).toThrow(
        expect.objectContaining({ code: 'invalid_configuration' }),
      ),
  );
});

describe('createEgressPolicy', () => {
  it('permits an allowed host at its public addresses', async () => {
    const policy = createEgressPolicy({ allowedHosts: ['cdn.example.com'], ...answering('93.184.216.34') });
    expect(await policy.resolve('cdn.example.com')).toEqual({
      allowed: true,
      addresses: [{ address: '93.184.216.34', family: 4 }],
    });
  });

  it.each([['127.0.0.1'], ['93.184.216.34', '10.0.0.1'], ['::1']])(
    'refuses an allowed host that resolves to %s',
    async (...addresses) => {
      const policy = createEgressPolicy({ allowedHosts: ['*'], ...answering(...addresses) });
      expect(await policy.resolve('cdn.example.com')).toMatchObject({ allowed: false });
    },
  );

  it('does not ask the resolver about a host that is not allowed', async () => {
    const resolve = () => Promise.reject(new Error('asked'));
    const policy = createEgressPolicy({ allowedHosts: ['cdn.example.com'], resolve });
    expect(await policy.resolve('secret.attacker.example')).toMatchObject({ allowed: false });
  });

  it.each(['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', '169.254.169.254', '0', 'fe80::1%1'])(
    'refuses %s although every public host is allowed',
    (host) => expect(createEgressPolicy({ allowedHosts: ['*'] }).refuseHost(host)).not.toBeNull(),
  );

  it('passes on that a name does not exist', async () => {
    const resolve = () => Promise.reject(new Error('ENOTFOUND'));
    await expect(createEgressPolicy({ allowedHosts: ['*'], resolve }).resolve('x.example')).rejects.toThrow(
      'ENOTFOUND',
    );
  });
});
