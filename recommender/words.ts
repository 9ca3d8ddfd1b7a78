/** Numbers and times as they stand in a sentence, in both languages. */
import { addDays, localDate } from '../engine/model/time.ts';
import type { AdviceContext, Words } from './action.ts';
import type { Window } from './windows.ts';

const LOCALES = { en: 'en-GB', de: 'de-DE' } as const;

/** Makes a sentence in both languages; `write` gets what formats in one of them. */
export function inWords(
  context: AdviceContext,
  write: { en: (f: Format) => string; de: (f: Format) => string },
): Words {
  return { en: write.en(formatOf('en', context)), de: write.de(formatOf('de', context)) };
}

export type Format = {
  money(amount: number, digits?: number): string;
  number(value: number, digits?: number): string;
  /** `14:00`, with the word for tomorrow where it is. */
  time(at_ms: number): string;
  window(window: Window): string;
};

function formatOf(language: 'en' | 'de', { at_ms, time_zone, currency }: AdviceContext): Format {
  const locale = LOCALES[language];
  const clock = new Intl.DateTimeFormat(locale, {
    timeZone: time_zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const weekday = new Intl.DateTimeFormat(locale, { timeZone: time_zone, weekday: 'long' });
  const today = localDate(at_ms, time_zone);
  const tomorrow = localDate(addDays(at_ms, 1, time_zone), time_zone);
  const day = (instant_ms: number) => {
    const date = localDate(instant_ms, time_zone);
    if (date === today) return '';
    if (date === tomorrow) return language === 'de' ? 'morgen ' : 'tomorrow ';
    return `${weekday.format(instant_ms)} `;
  };
  return {
    money: (amount, digits = 2) =>
      new Intl.NumberFormat(locale, {
        style: 'currency',
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(amount),
    number: (value, digits = 0) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
    time: (instant_ms) => `${day(instant_ms)}${clock.format(instant_ms)}`,
    window: ({ from_ms, to_ms }) => `${day(from_ms)}${clock.format(from_ms)}–${clock.format(to_ms)}`,
  };
}
