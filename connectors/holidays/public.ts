/** Public holidays of countries and their parts, from the tables of date-holidays; loaded when first asked. */
import { createRequire } from 'node:module';
import type { default as Holidays } from 'date-holidays';

const DAY_MS = 86_400_000;

export type PublicHolidays = {
  /** Whether `region` (`DE`, `DE-BY`) is known. */
  region(region: string): boolean;
  /** Whether the local day `YYYY-MM-DD` is a public holiday there. A day that stands in for one (observed) counts. */
  isHoliday(region: string, date: string): boolean;
};

export function createPublicHolidays(): PublicHolidays {
  const load = () => createRequire(import.meta.url)('date-holidays') as typeof Holidays;
  const calendars = new Map<string, Holidays>();
  const years = new Map<string, ReadonlySet<string>>();

  function calendarOf(region: string): Holidays {
    let calendar = calendars.get(region);
    if (!calendar) {
      const [country, state, part] = region.split('-') as [string, string?, string?];
      const Calendar = load();
      calendar =
        state === undefined
          ? new Calendar(country)
          : part === undefined
            ? new Calendar(country, state)
            : new Calendar(country, state, part);
      calendars.set(region, calendar);
    }
    return calendar;
  }
  return {
    region(region) {
      if (!/^[A-Z]{2}(-[A-Za-z0-9]+){0,2}$/.test(region)) return false;
      const [country, state, part] = region.split('-') as [string, string?, string?];
      const all = new (load())();
      if (!Object.hasOwn(all.getCountries() ?? {}, country)) return false;
      if (state !== undefined && !Object.hasOwn(all.getStates(country) ?? {}, state)) return false;
      return part === undefined || Object.hasOwn(all.getRegions(country, state!) ?? {}, part);
    },
    isHoliday(region, date) {
      const year = date.slice(0, 4);
      const key = `${region} ${year}`;
      let days = years.get(key);
      if (!days) {
        days = publicDays(calendarOf(region), Number(year));
        years.set(key, days);
      }
      return days.has(date);
    },
  };
}

/** Holidays that last several days count on each. */
function publicDays(calendar: Holidays, year: number): ReadonlySet<string> {
  const days = new Set<string>();
  for (const { type, date, start, end } of calendar.getHolidays(year)) {
    if (type !== 'public') continue;
    const first_ms = Date.parse(`${date.slice(0, 10)}T00:00Z`);
    const count = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS));
    for (let i = 0; i < count; i++) days.add(new Date(first_ms + i * DAY_MS).toISOString().slice(0, 10));
  }
  return days;
}
