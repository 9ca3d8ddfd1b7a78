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
  window(window: Pick<Window, 'from_ms' | 'to_ms'>): string;
  /** `10:15–12:00 and 13:00–14:30`. */
  windows(windows: readonly Pick<Window, 'from_ms' | 'to_ms'>[]): string;
};

/** Making an Intl formatter takes longer than a whole decision. */
const made = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();
const MOST_MADE = 500;

function kept<T extends Intl.DateTimeFormat | Intl.NumberFormat>(key: string, make: () => T): T {
  let format = made.get(key) as T | undefined;
  if (!format) {
    if (made.size >= MOST_MADE) made.clear();
    format = make();
    made.set(key, format);
  }
  return format;
}

function formatOf(language: 'en' | 'de', { at_ms, time_zone: timeZone, currency }: AdviceContext): Format {
  const locale = LOCALES[language];
  const digitsOf = (value: number, digits: number, unit?: string) =>
    kept(`${locale} ${unit} ${digits}`, () =>
      unit === undefined
        ? new Intl.NumberFormat(locale, { maximumFractionDigits: digits })
        : new Intl.NumberFormat(locale, {
            ...{ style: 'currency', currency: unit },
            ...{ minimumFractionDigits: digits, maximumFractionDigits: digits },
          }),
    ).format(value);
  const clock = kept(
    `${locale} ${timeZone} clock`,
    () => new Intl.DateTimeFormat(locale, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  );
  const today = localDate(at_ms, timeZone);
  const tomorrow = localDate(addDays(at_ms, 1, timeZone), timeZone);
  const day = (instant_ms: number) => {
    const date = localDate(instant_ms, timeZone);
    if (date === today) return '';
    if (date === tomorrow) return language === 'de' ? 'morgen ' : 'tomorrow ';
    const make = () => new Intl.DateTimeFormat(locale, { timeZone, weekday: 'long' });
    return `${kept(`${locale} ${timeZone} weekday`, make).format(instant_ms)} `;
  };
  const window = ({ from_ms, to_ms }: Pick<Window, 'from_ms' | 'to_ms'>) =>
    `${day(from_ms)}${clock.format(from_ms)}–${clock.format(to_ms)}`;
  return {
    window,
    windows: (all) => all.map(window).join(language === 'de' ? ' und ' : ' and '),
    money: (amount, digits = 2) => digitsOf(amount, digits, currency),
    number: (value, digits = 0) => digitsOf(value, digits),
    time: (instant_ms) => `${day(instant_ms)}${clock.format(instant_ms)}`,
  };
}
