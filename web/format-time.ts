/** Times and durations in words, in the zone of the site. */
import type { Translate } from './i18n/text.ts';

const NBSP = '\u00a0';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type TimeFormat = {
  /** `16:00` */
  time(at_ms: number): string;
  /** `16:00:12` */
  timeWithSeconds(at_ms: number): string;
  /** `Wed 17 Jun` */
  date(at_ms: number): string;
  /** `17 June 2026` */
  longDate(at_ms: number): string;
  /** `Wednesday` */
  weekday(at_ms: number): string;
  /** The time alone for today, with the day in front otherwise: `16:00`, `tomorrow 04:15`, `Wed 17 Jun 04:15`. */
  when(at_ms: number, now_ms: number): string;
  /** Like `when` for an end: midnight is 24:00 of the day before. */
  until(at_ms: number, now_ms: number): string;
  /** `today`, `tomorrow`, `yesterday` or the date. */
  day(at_ms: number, now_ms: number): string;
  /** `4 s ago`, `12 min ago`; `never` for null. */
  ago(at_ms: number | null, now_ms: number): string;
  /** `45 min`, `3 h`, `2 days`. */
  duration(duration_ms: number): string;
  /** `7 days`, in a case that follows “the last” / “den letzten”. */
  days(n: number): string;
  /** Wall clock of the site as numbers, to place ticks. */
  wall(at_ms: number): { day: number; hour: number; minute: number };
  zone: string;
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making an Intl format costs as much as using it a hundred times, so that they are kept. */
function format(locale: string, timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${timeZone}|${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { timeZone, ...options });
    formats.set(key, found);
  }
  return found;
}

/** Creates the time formats of a locale and zone. */
export function createTimeFormat(locale: string, zone: string, t: Translate): TimeFormat {
  const of = (options: Intl.DateTimeFormatOptions) => format(locale, zone, options);
  const time = of({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const seconds = of({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const date = of({ weekday: 'short', day: 'numeric', month: 'short' });
  const long = of({ day: 'numeric', month: 'long', year: 'numeric' });
  const weekday = of({ weekday: 'long' });
  const key = format('en-CA', zone, { year: 'numeric', month: '2-digit', day: '2-digit' });
  const wall = format('en-GB', zone, { day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const duration = (duration_ms: number) => durationText(duration_ms, t, 'common.day');
  const sameDay = (a: number, b: number) => key.format(a) === key.format(b);
  const day = (at_ms: number, now_ms: number) => {
    if (sameDay(at_ms, now_ms)) return t('common.today');
    if (isNextDay(key, now_ms, at_ms)) return t('common.tomorrow');
    if (isNextDay(key, at_ms, now_ms)) return t('common.yesterday');
    return date.format(at_ms);
  };
  const when = (at_ms: number, now_ms: number) =>
    sameDay(at_ms, now_ms) ? time.format(at_ms) : `${day(at_ms, now_ms)}${NBSP}${time.format(at_ms)}`;
  return {
    zone,
    time: (at_ms) => time.format(at_ms),
    timeWithSeconds: (at_ms) => seconds.format(at_ms),
    date: (at_ms) => date.format(at_ms),
    longDate: (at_ms) => long.format(at_ms),
    weekday: (at_ms) => weekday.format(at_ms),
    when,
    until: (at_ms, now_ms) =>
      time.format(at_ms) === '00:00' ? when(at_ms - 1, now_ms).replace('23:59', '24:00') : when(at_ms, now_ms),
    day,
    ago: (at_ms, now_ms) => {
      if (at_ms === null) return t('common.never');
      const age_ms = now_ms - at_ms;
      return age_ms < 1_000
        ? t('common.just_now')
        : t('common.ago', { age: durationText(age_ms, t, 'common.day_dative') });
    },
    duration,
    days: (n) => `${n}${NBSP}${t('common.day_dative', { n })}`,
    wall: (at_ms) => {
      const parts: Record<string, number> = {};
      for (const part of wall.formatToParts(at_ms)) parts[part.type] = Number(part.value);
      return { day: parts.day ?? 1, hour: parts.hour ?? 0, minute: parts.minute ?? 0 };
    },
  };
}

/** Whether `later` lies on the calendar day after that of `earlier`. */
function isNextDay(key: Intl.DateTimeFormat, earlier: number, later: number): boolean {
  const day = (at_ms: number) => Date.parse(`${key.format(at_ms)}T00:00:00Z`) / DAY_MS;
  return day(later) - day(earlier) === 1;
}

function durationText(duration_ms: number, t: Translate, days: 'common.day' | 'common.day_dative'): string {
  const join = (n: number, unit: string) => `${n}${NBSP}${unit}`;
  if (duration_ms < MINUTE_MS) return join(Math.max(0, Math.floor(duration_ms / 1000)), t('common.second'));
  if (duration_ms < 90 * MINUTE_MS) return join(Math.floor(duration_ms / MINUTE_MS), t('common.minute'));
  if (duration_ms < 2 * DAY_MS) return join(Math.floor(duration_ms / HOUR_MS), t('common.hour'));
  const n = Math.floor(duration_ms / DAY_MS);
  return join(n, t(days, { n }));
}
