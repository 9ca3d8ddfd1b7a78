/** Reads the conditions of a tariff: weekdays, hours and dates as people write them. */
import type { WhenText } from './schema.ts';
import type { Window } from './tariff.ts';

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What is wrong with one key of a `when`. */
export type WhenFault = { key: string; problem: string; remedy: string };

/** @returns the window, or null where something is wrong, which `fault` was told. */
export function readWhen(text: WhenText | undefined, fault: (fault: WhenFault) => void): Window | null {
  if (text === undefined) return null;
  if (text.months && text.dates) {
    const problem = 'there are both months and dates';
    fault({ key: 'months', problem, remedy: 'Say it with one of the two.' });
  }
  const read = <Part>(key: 'weekdays' | 'hours' | 'dates', parse: (part: string) => Part[] | null, example: string) => {
    const given = text[key];
    if (given === undefined) return null;
    return [given].flat().flatMap((part) => {
      const parsed = parse(part.trim());
      if (!parsed) fault({ key, problem: `"${part}" is no ${KINDS[key]}`, remedy: `Write e.g. ${example}.` });
      return parsed ?? [];
    });
  };
  return {
    weekdays: read('weekdays', weekdaysOf, 'mon-fri or [sat, sun]'),
    hours: read('hours', hoursOf, '"06:00-22:00"'),
    dates: read('dates', datesOf, '"10-01..03-31"') ?? (text.months?.map(wholeMonth) || null),
    holidays: text.holidays,
  };
}

const KINDS = { weekdays: 'weekday', hours: 'part of the day', dates: 'part of the year' } as const;

function weekdaysOf(text: string): number[] | null {
  const [from, to = from, ...more] = text.toLowerCase().split('-');
  const [first, last] = [WEEKDAYS.indexOf(from!), WEEKDAYS.indexOf(to!)];
  if (first < 0 || last < 0 || more.length > 0) return null;
  const count = ((last - first + 7) % 7) + 1;
  return Array.from({ length: count }, (_, i) => ((first + i) % 7) + 1);
}

function hoursOf(text: string): { from_min: number; to_min: number }[] | null {
  const match = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text);
  if (!match) return null;
  const [h1, m1, h2, m2] = match.slice(1).map(Number) as [number, number, number, number];
  const [from_min, to_min] = [h1 * 60 + m1, h2 * 60 + m2];
  if (m1 % 15 !== 0 || m2 % 15 !== 0 || from_min >= 1440 || to_min > 1440 || from_min === to_min) return null;
  if (from_min < to_min) return [{ from_min, to_min }];
  const evening = { from_min, to_min: 1440 };
  return to_min === 0 ? [evening] : [{ from_min: 0, to_min }, evening];
}

function datesOf(text: string): { from: string; to: string }[] | null {
  const [from, to = from, ...more] = text.split('..').map((part) => part.trim());
  return more.length === 0 && isDay(from!) && isDay(to!) ? [{ from: from!, to: to! }] : null;
}

function isDay(text: string): boolean {
  const match = /^(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [month, day] = [Number(match[1]), Number(match[2])];
  return day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0);
}

function wholeMonth(month: number): { from: string; to: string } {
  const two = String(month).padStart(2, '0');
  return { from: `${two}-01`, to: `${two}-31` };
}
