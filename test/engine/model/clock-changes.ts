/**
 * When clocks change, from the words of the law and not from any time zone database.
 * EU: Directive 2000/84/EC, articles 2 and 3: summer-time runs from 01:00 UTC of the last Sunday of March to 01:00 UTC of
 * the last Sunday of October, everywhere at once. US: 15 U.S.C. § 260a: from 02:00 standard time of the second Sunday of
 * March to 02:00 daylight time of the first Sunday of November.
 */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** `standard_h`: hours that standard time is ahead of UTC; `rule`: whose summer-time, null for none. */
export type ZoneOracle = { zone: string; standard_h: number; rule: 'eu' | 'us' | null };

const eu = (standard_h: number, ...zones: string[]): ZoneOracle[] =>
  zones.map((zone) => ({ zone, standard_h, rule: 'eu' }));

/** Every zone of the EU's members, their islands and exclaves; and US Central. */
export const ZONES: readonly ZoneOracle[] = [
  ...eu(-1, 'Atlantic/Azores'),
  ...eu(0, 'Europe/Lisbon', 'Atlantic/Madeira', 'Atlantic/Canary', 'Europe/Dublin'),
  ...eu(1, 'Europe/Amsterdam', 'Europe/Berlin', 'Europe/Bratislava', 'Europe/Brussels', 'Europe/Budapest'),
  ...eu(1, 'Europe/Busingen', 'Europe/Copenhagen', 'Europe/Ljubljana', 'Europe/Luxembourg', 'Europe/Madrid'),
  ...eu(1, 'Africa/Ceuta', 'Europe/Malta', 'Europe/Paris', 'Europe/Prague', 'Europe/Rome', 'Europe/Stockholm'),
  ...eu(1, 'Europe/Vienna', 'Europe/Warsaw', 'Europe/Zagreb'),
  ...eu(2, 'Europe/Athens', 'Europe/Bucharest', 'Europe/Helsinki', 'Europe/Mariehamn', 'Europe/Riga'),
  ...eu(2, 'Europe/Sofia', 'Europe/Tallinn', 'Europe/Vilnius', 'Asia/Nicosia', 'Asia/Famagusta'),
  { zone: 'America/Guadeloupe', standard_h: -4, rule: null },
  { zone: 'America/Martinique', standard_h: -4, rule: null },
  { zone: 'America/Cayenne', standard_h: -3, rule: null },
  { zone: 'Indian/Mayotte', standard_h: 3, rule: null },
  { zone: 'Indian/Reunion', standard_h: 4, rule: null },
  { zone: 'America/Chicago', standard_h: -6, rule: 'us' },
];
export const FIRST_YEAR = 2020;
export const LAST_YEAR = 2035;
export const YEARS = Array.from({ length: LAST_YEAR - FIRST_YEAR + 1 }, (_, k) => FIRST_YEAR + k);

/** Midnight UTC of the `nth` Sunday of a month (1–12), −1 for the last. */
function sunday(year: number, month: number, nth: number): number {
  const first_ms = Date.UTC(year, month - 1, 1);
  const first_sunday_ms = first_ms + ((7 - new Date(first_ms).getUTCDay()) % 7) * DAY_MS;
  if (nth > 0) return first_sunday_ms + (nth - 1) * 7 * DAY_MS;
  const last_ms = Date.UTC(year, month, 0);
  return last_ms - new Date(last_ms).getUTCDay() * DAY_MS;
}

/** The instants at which summer-time begins and ends, or null where there is none. */
export function changesOf({ standard_h, rule }: ZoneOracle, year: number): [begin_ms: number, end_ms: number] | null {
  if (rule === 'eu') return [sunday(year, 3, -1) + HOUR_MS, sunday(year, 10, -1) + HOUR_MS];
  if (rule === 'us')
    return [sunday(year, 3, 2) + (2 - standard_h) * HOUR_MS, sunday(year, 11, 1) + (2 - standard_h - 1) * HOUR_MS];
  return null;
}

/** Per zone and year, since millions of instants are asked. */
const known = new Map<ZoneOracle, Map<number, readonly [number, number] | null>>();

/** Local time minus UTC at an instant, in ms. */
export function offsetAt(oracle: ZoneOracle, at_ms: number): number {
  // No clock changes within days of the year's end, so that the mean length of a year names the year well enough.
  const year = 1970 + Math.floor(at_ms / (365.2425 * DAY_MS));
  let years = known.get(oracle);
  if (!years) {
    years = new Map();
    known.set(oracle, years);
  }
  let changes = years.get(year);
  if (changes === undefined) {
    changes = changesOf(oracle, year);
    years.set(year, changes);
  }
  const summer = changes !== null && at_ms >= changes[0] && at_ms < changes[1];
  return (oracle.standard_h + (summer ? 1 : 0)) * HOUR_MS;
}

/** `YYYY-MM-DD HH:MM` on the wall. */
export function wallAt(oracle: ZoneOracle, at_ms: number): string {
  return new Date(at_ms + offsetAt(oracle, at_ms)).toISOString().slice(0, 16).replace('T', ' ');
}

export type OracleDay = { date: string; from_ms: number; slots: number };

/** Local days of [from year, to year], their quarter hours counted hour by hour, and where the first of them begins. */
function daysOf(oracle: ZoneOracle, from_year: number, to_year: number): OracleDay[] {
  const days: OracleDay[] = [];
  const [first, end] = [Date.UTC(from_year, 0, 1) / DAY_MS, Date.UTC(to_year + 1, 0, 1) / DAY_MS];
  let last = -1;
  for (let at_ms = Date.UTC(from_year - 1, 11, 31); at_ms < Date.UTC(to_year + 1, 0, 2); at_ms += HOUR_MS) {
    const day = Math.floor((at_ms + offsetAt(oracle, at_ms)) / DAY_MS);
    if (day < first || day >= end) continue;
    if (day !== last) days.push({ date: new Date(day * DAY_MS).toISOString().slice(0, 10), from_ms: at_ms, slots: 0 });
    last = day;
    days.at(-1)!.slots += 4;
  }
  return days;
}

const counted = new Map<ZoneOracle, OracleDay[]>();

/** All local days of FIRST_YEAR to LAST_YEAR. */
export function allDays(oracle: ZoneOracle): OracleDay[] {
  const days = counted.get(oracle) ?? daysOf(oracle, FIRST_YEAR, LAST_YEAR);
  counted.set(oracle, days);
  return days;
}

/** The days on which clocks change (or two others, where they never do), with the day before and after each. */
export function changeDays(oracle: ZoneOracle, year: number): OracleDay[] {
  const days = allDays(oracle);
  const changes = changesOf(oracle, year) ?? [Date.UTC(year, 2, 28, 12), Date.UTC(year, 9, 28, 12)];
  return changes.flatMap((change_ms) => {
    let k = Math.round((change_ms - days[0]!.from_ms) / DAY_MS) + 1;
    while (days[k]!.from_ms > change_ms) k--;
    return days.slice(k - 1, k + 2);
  });
}
