import { describe, expect, it } from 'vitest';
import { refuseUrl } from '../../../src/platform/egress/judge-url.ts';

describe('a URL of somebody else', () => {
  it.each([
    'https://hooks.example.com/in',
    'http://hooks.example.com:8080/in?token=1',
    'https://93.184.216.34/in',
    'https://[2606:4700:4700::1111]/in',
    'https://bücher.example/in',
    'https://example.com./in',
  ])('may be %s', (url) => expect(refuseUrl(url, { allowPrivate: false })).toBeNull());

  it.each([
    ['http://localhost/', /private network/],
    ['http://LOCALHOST./', /private network/],
    ['http://a.localhost/', /private network/],
    ['http://metadata.google.internal/', /private network/],
    ['http://printer.local/', /private network/],
    ['http://postgres:5432/', /private network/],
    ['http://127.0.0.1/', /not a public address/],
    ['http://127.0.0.1./', /not a public address/],
    ['http://0x7f.1/', /not a public address/],
    ['http://2130706433/', /not a public address/],
    ['http://0177.0.0.1/', /not a public address/],
    ['http://①②⑦.⓪.⓪.①/', /not a public address/],
    ['http://0/', /not a public address/],
    ['http://10.1.2.3/', /not a public address/],
    ['http://169.254.169.254/latest/meta-data', /not a public address/],
    ['http://168.63.129.16/', /not a public address/],
    ['http://[::1]/', /not a public address/],
    ['http://[::]/', /not a public address/],
    ['http://[::ffff:127.0.0.1]/', /not a public address/],
    ['http://[::ffff:8.8.8.8]/', /not a public address/],
    ['http://[fd00:ec2::254]/', /not a public address/],
    ['http://[64:ff9b::7f00:1]/', /not a public address/],
  ])('may not be %s, unless private networks are allowed', (url, reason) => {
    expect(refuseUrl(url, { allowPrivate: false })).toMatch(reason);
    expect(refuseUrl(url, { allowPrivate: true })).toBeNull();
  });

  it.each([
    ['', /not a URL/],
    ['hooks.example.com', /not a URL/],
    ['/in', /not a URL/],
    ['ftp://hooks.example.com/', /neither https/],
    ['file:///etc/passwd', /neither https/],
    ['javascript:alert(1)', /neither https/],
    ['https://user:secret@hooks.example.com/', /user name or a password/],
    ['https://hooks.example.com@127.0.0.1/', /user name or a password/],
    ['https://hooks.example.com/#part', /fragment/],
    ['https://hooks.example.com/#', /fragment/],
    ['https://hooks.example.com/a b', /spaces/],
    ['https://hooks.example.com/\r\nX-A: 1', /control/],
    ['https://hooks.example.com/\0', /control/],
    ['https://hooks.example.com/\ud800', /control/],
    ['https://999.1.1.1/', /not a URL/],
    [`https://hooks.example.com/${'a'.repeat(2_048)}`, /longer/],
  ])('is never %j', (url, reason) => {
    expect(refuseUrl(url, { allowPrivate: false })).toMatch(reason);
    expect(refuseUrl(url, { allowPrivate: true })).toMatch(reason);
  });
});
