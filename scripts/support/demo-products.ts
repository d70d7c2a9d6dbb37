/**
 * A product list as a shop in Germany has it: saved by a spreadsheet with a byte order mark, semicolons and decimal commas, three
 * products in two languages, and one row that cannot be right.
 */

const rows: readonly (readonly string[])[] = [
  ['sku', 'locale', 'productName', 'description', 'price', 'oldPrice', 'currency', 'accentColor'],
  [
    'tala-radio',
    'de-DE',
    'Tala Taschenradio',
    'Von Hand gestimmtes UKW in recyceltem Aluminium. Dreißig Stunden mit einer Ladung.',
    '129,90',
    '159,90',
    'EUR',
    '#f0b429',
  ],
  [
    'tala-radio',
    'ar-EG',
    'راديو تالا للجيب',
    'راديو إف إم مضبوط يدويًا في غلاف من الألومنيوم المعاد تدويره.',
    '6490,00',
    '7990,00',
    'EGP',
    '#f0b429',
  ],
  [
    'tala-kitchen',
    'de-DE',
    'Tala Küchenradio',
    'Der große Bruder für die Arbeitsplatte: Weckruf, Eieruhr; und ein Klang, der den Raum füllt.',
    '219,00',
    '249,00',
    'EUR',
    '#3d9970',
  ],
  [
    'tala-kitchen',
    'ar-EG',
    'راديو تالا للمطبخ',
    'الأخ الأكبر على سطح المطبخ: منبّه ومؤقّت وصوت يملأ المكان.',
    '10990,00',
    '12490,00',
    'EGP',
    '#3d9970',
  ],
  [
    'tala-travel',
    'de-DE',
    'Tala Reiseradio',
    'Passt in die Jackentasche, hört Kurzwelle aus aller Welt.\nMit Filztasche.',
    '89,00',
    '89,00',
    'EUR',
    '#3d7bf2',
  ],
  [
    'tala-travel',
    'ar-EG',
    'راديو تالا للسفر',
    'يتّسع له جيب المعطف ويلتقط الموجات القصيرة من كل أنحاء العالم.',
    '4490,00',
    '4490,00',
    'EGP',
    '#3d7bf2',
  ],
  ['tala-mini', 'de-DE', 'Tala Mini', 'Kommt bald.', 'auf Anfrage', '', 'EUR', '#b14ad1'],
];

const quoted = (cell: string): string => (/[;"\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

export const demoProducts = `\ufeff${rows.map((row) => row.map(quoted).join(';')).join('\r\n')}\r\n`;

export const demoSizes = [
  { name: 'square', width: 1080, height: 1080, device: 'feed' },
  { name: 'story', width: 1080, height: 1920, device: 'phone' },
  { name: 'leaderboard', width: 728, height: 90, device: 'web' },
  { name: 'rectangle', width: 300, height: 250, device: 'web' },
];
