/** What an address says of its owner: a private person at Google or elsewhere, or somebody at work. */
export type EmailDomainType = 'gmail' | 'work' | 'custom';

const gmail: ReadonlySet<string> = new Set(['gmail.com', 'googlemail.com']);

/** Mailboxes for everybody, by the label before the public suffix: `yahoo.co.uk` is one as `yahoo.com` is. */
const providersOfManyDomains: ReadonlySet<string> = new Set([
  'gmx',
  'hotmail',
  'live',
  'outlook',
  'yahoo',
  'yandex',
]);

const providers: ReadonlySet<string> = new Set([
  ...[
    '126.com',
    '163.com',
    'aol.com',
    'att.net',
    'bigpond.com',
    'bk.ru',
    'bluewin.ch',
    'bol.com.br',
    'btinternet.com',
  ],
  ...[
    'comcast.net',
    'cox.net',
    'daum.net',
    'duck.com',
    'fastmail.com',
    'fastmail.fm',
    'foxmail.com',
    'free.fr',
  ],
  ...[
    'freenet.de',
    'hanmail.net',
    'hey.com',
    'icloud.com',
    'inbox.ru',
    'interia.pl',
    'laposte.net',
    'libero.it',
  ],
  ...[
    'list.ru',
    'mac.com',
    'mail.com',
    'mail.ru',
    'mailbox.org',
    'me.com',
    'msn.com',
    'naver.com',
    'o2.pl',
    'orange.fr',
  ],
  ...[
    'pm.me',
    'posteo.de',
    'proton.me',
    'protonmail.ch',
    'protonmail.com',
    'qq.com',
    'rambler.ru',
    'rediffmail.com',
  ],
  ...[
    'rocketmail.com',
    'sbcglobal.net',
    'seznam.cz',
    'sfr.fr',
    'sina.com',
    't-online.de',
    'terra.com.br',
    'tuta.com',
  ],
  ...[
    'tuta.io',
    'tutanota.com',
    'uol.com.br',
    'verizon.net',
    'virgilio.it',
    'wanadoo.fr',
    'web.de',
    'wp.pl',
    'ya.ru',
  ],
  ...['ymail.com', 'zoho.com', 'zohomail.com'],
]);

/** `yahoo` of `yahoo.de` and of `yahoo.co.uk`; nothing of `yahoo.example.com`. */
const brandOf = (domain: string): string | undefined =>
  /^([a-z0-9-]+)\.(?:(?:co|com)\.[a-z]{2}|[a-z]{2,3})$/.exec(domain)?.[1];

const domainOf = (address: string): string | undefined =>
  /^[^\s@]+@([^\s@]+\.[^\s@.]+)\.?$/.exec(address.trim())?.[1]?.toLowerCase();

/** Undefined for what is no address. */
export const emailDomainType = (address: string): EmailDomainType | undefined => {
  // No address is longer (RFC 5321); what is need not be looked at.
  const domain = address.length > 320 ? undefined : domainOf(address);
  if (domain === undefined) return undefined;
  if (gmail.has(domain)) return 'gmail';
  const isPublic = providers.has(domain) || providersOfManyDomains.has(brandOf(domain) ?? '');
  return isPublic ? 'custom' : 'work';
};
