/** A price with its currency, as product feeds write it: 19.99 USD, EUR 19.99, 19,99 €. */
import { type NumberStyle, readNumber } from './read-number.ts';

export type MoneyReading =
  | { readonly type: 'money'; readonly amount: number; readonly currency: string | null }
  | { readonly type: 'refused'; readonly reason: string };

/** Signs that stand for one currency only: a dollar is not one of them. */
const signs: Readonly<Record<string, string>> = {
  '€': 'EUR',
  '£': 'GBP',
  '₹': 'INR',
  '₩': 'KRW',
  '₺': 'TRY',
  '₽': 'RUB',
};

const before = /^([A-Za-z]{3}|\p{Sc})\s*(?=[\d+\-.,\u2212])/u;
const behind = /(?<=\d)\s*([A-Za-z]{3}|\p{Sc})$/u;

export const readMoney = (text: string, style: NumberStyle): MoneyReading => {
  const trimmed = text.trim();
  const found = before.exec(trimmed) ?? behind.exec(trimmed);
  const amount = readNumber(found ? trimmed.replace(found[0], '') : trimmed, style);
  if (amount.type === 'refused') {
    const reason = amount.reason.replace('a number such as 1234.5', 'a price such as 19.99 USD');
    return { type: 'refused', reason };
  }
  const mark = found?.[1] ?? '';
  const currency = mark.length === 3 ? mark.toUpperCase() : (signs[mark] ?? null);
  return { type: 'money', amount: amount.value, currency };
};
