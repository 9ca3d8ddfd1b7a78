/** Measured loads and generation as the protocol of the bench has them: days of 24 local hours, NaN is missing. */
import { createPublicHolidays } from '../../../connectors/holidays/public.ts';
import type { DayCalendar } from '../../../engine/features/load-past.ts';
import type { LoadUnit } from '../../../engine/features/load-rows.ts';
import { createPanel, DAY_HOURS, dayStart_ms, knownByDay, type Panel } from '../../../engine/features/panel.ts';
import type { WeatherSeries } from '../../../engine/features/weather.ts';
import { zoneOffset } from '../../../engine/model/time.ts';
import { findFile, readText } from '../epf/data.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type LoadSet = {
  names: string[];
  /** Per series, at [day × 24 + hour]. */
  values: Float64Array[];
  first_day: number;
  days: number;
  /** The test span is from this day on. */
  test_from: number;
  calendar: DayCalendar;
  /** Degrees north, where it matters. */
  latitude?: number;
  unit: LoadUnit;
  /** Days that the trees learn from, and after how many they learn anew. */
  window_days: number;
  refit_days: number;
};

const numberOfDay = (iso: string): number => Date.parse(`${iso}T00:00Z`) / DAY_MS;

export function calendarOf(region: string | null): DayCalendar {
  const holidays = createPublicHolidays();
  const dateOf = (day_number: number) => new Date(day_number * DAY_MS).toISOString().slice(0, 10);
  return {
    holiday: (day) => region !== null && holidays.isHoliday(region, dateOf(day)),
    special: (day) => /-12-(2[4-9]|3[01])$|-01-01$/.test(dateOf(day)),
  };
}

type Table = { names: string[]; stamps: string[]; columns: Float64Array[] };

/** @param blank whether an empty cell is missing (NaN); otherwise it is an error. */
export function readTable(file: string): Table {
  const [head = '', ...lines] = readText(file).trim().split(/\r?\n/);
  const names = head.split(',').slice(1);
  const columns = names.map(() => new Float64Array(lines.length));
  const stamps = lines.map((line, k) => {
    const cells = line.split(',');
    for (const [c, column] of columns.entries()) {
      const cell = cells[c + 1]?.trim() ?? '';
      column[k] = cell === '' ? NaN : Number(cell);
      if (cell !== '' && Number.isNaN(column[k]!) && cell.toLowerCase() !== 'nan')
        throw new Error(`${file}, line ${k + 2}: "${cell}" in ${names[c]} is no number.`);
    }
    return cells[0]!;
  });
  return { names, stamps, columns };
}

/** Puts hours on local days: hours that come twice are averaged, those that never come are missing. */
export function onDays(places: readonly number[], values: Float64Array, days: number): Float64Array {
  const [sum, count] = [new Float64Array(days * DAY_HOURS), new Float64Array(days * DAY_HOURS)];
  for (const [k, place] of places.entries()) {
    if (place < 0 || place >= sum.length || Number.isNaN(values[k]!)) continue;
    sum[place]! += values[k]!;
    count[place]!++;
  }
  return sum.map((value, place) => (count[place] === 0 ? NaN : value / count[place]!));
}

function cambridge(): LoadSet {
  const { names, stamps, columns } = readTable(findFile('electricity_40bld_2017-2022_hourly.csv.gz', 'load/cambridge'));
  const [first_day, end_day, test_day] = ['2017-01-01', '2023-01-01', '2022-01-01'].map(numberOfDay) as [
    number,
    number,
    number,
  ];
  const at_ms = stamps.map((stamp) => Date.parse(`${stamp}Z`));
  const places = at_ms.map(
    (at) => Math.floor((at + zoneOffset(at, 'Europe/London')) / HOUR_MS) - first_day * DAY_HOURS,
  );
  const before = at_ms.findIndex((at) => at >= test_day * DAY_MS);
  const chosen = names.map((_, k) => k).filter((k) => k % 2 === 0);
  return {
    names: chosen.map((k) => names[k]!),
    values: chosen.map((k) => onDays(places, withoutFaults(columns[k]!, before), end_day - first_day)),
    first_day,
    days: end_day - first_day,
    test_from: test_day - first_day,
    calendar: calendarOf('GB-ENG'),
    unit: 'level',
    window_days: 393,
    refit_days: 91,
  };
}

/** Zeros, values above three times the 99 % quantile before the test span, and twelve equal values in a row. */
function withoutFaults(values: Float64Array, before: number): Float64Array {
  const positive = values
    .subarray(0, before)
    .filter((value) => value > 0)
    .sort();
  const place = 0.99 * (positive.length - 1);
  const low = positive[Math.floor(place)]!;
  const q99 = low + (place - Math.floor(place)) * (positive[Math.ceil(place)]! - low);
  const made = values.map((value) => (value === 0 || value > 3 * q99 ? NaN : value));
  let from = 0;
  for (let k = 1; k <= values.length; k++) {
    if (k < values.length && values[k] === values[k - 1]) continue;
    if (k - from >= 12) made.fill(NaN, from, k);
    from = k;
  }
  return made;
}

/** Day and month are swapped in the file wherever the day is 12 or less; values are sums of minutes. */
function uci(): LoadSet {
  const { names, stamps, columns } = readTable(findFile('UCI_household_hourly_2006-2010.csv.gz', 'load/misc'));
  const [power, voltage] = ['Global_active_power', 'Voltage'].map(
    (name) => columns[names.indexOf(name)]!,
  ) as Float64Array[];
  const [first_day, end_day] = ['2006-12-17', '2010-11-26'].map(numberOfDay) as [number, number];
  const values = power!.map((sum, k) =>
    voltage![k]! < 13_000 || sum === 0 || sum === power![k - 24] ? NaN : sum / 60,
  );
  const places = stamps.map((stamp) => {
    const [year, month, day] = stamp.slice(0, 10).split('-') as [string, string, string];
    const date = Number(day) <= 12 ? `${year}-${day}-${month}` : `${year}-${month}-${day}`;
    return (numberOfDay(date) - first_day) * DAY_HOURS + Number(stamp.slice(11, 13));
  });
  const days = end_day - first_day;
  return {
    names: ['household'],
    values: [onDays(places, values, days)],
    first_day,
    days,
    test_from: days - 365,
    calendar: calendarOf('FR'),
    unit: 'level',
    window_days: 1100,
    refit_days: 30,
  };
}

const YEAR_DAYS = 364;
const YEAR_TEST = 244;

function nrel(): LoadSet {
  const { names, columns } = readTable(findFile('NREL_RSF_office_2011_hourly.csv.gz', 'load/misc'));
  return {
    names: ['office'],
    values: [columns[names.indexOf('building_kw')]!.slice(0, YEAR_DAYS * DAY_HOURS)],
    first_day: numberOfDay('2011-01-01'),
    days: YEAR_DAYS,
    test_from: YEAR_TEST,
    calendar: calendarOf('US-CO'),
    unit: 'level',
    window_days: YEAR_DAYS,
    refit_days: 30,
  };
}

function citylearn(kind: 'load_kwh' | 'pv_w_per_kw'): LoadSet {
  const { names, columns } = readTable(findFile('citylearn2022_17homes_hourly.csv.gz', 'load/citylearn'));
  const chosen = Array.from({ length: 17 }, (_, k) => `b${k + 1}_${kind}`).filter((name) => name !== 'b15_pv_w_per_kw');
  return {
    names: chosen,
    values: chosen.map((name) => columns[names.indexOf(name)]!.slice(1, 1 + YEAR_DAYS * DAY_HOURS)),
    first_day: numberOfDay('2016-08-01'),
    days: YEAR_DAYS,
    test_from: YEAR_TEST,
    calendar: calendarOf('US-CA'),
    latitude: 34.1,
    unit: kind === 'load_kwh' ? 'level' : 'envelope',
    window_days: YEAR_DAYS,
    refit_days: 30,
  };
}

export const LOAD_SETS: Record<string, () => LoadSet> = {
  cambridge,
  uci,
  nrel,
  'citylearn-load': () => citylearn('load_kwh'),
  'citylearn-pv': () => citylearn('pv_w_per_kw'),
};

/** Any wide hourly CSV in local time; an hour that comes twice (autumn) is averaged. Stamps name the hour's start. */
export function setFromFile(file: string, test_from: string, country: string | null): LoadSet {
  const { names, stamps, columns } = readTable(file);
  const hours = stamps.map((stamp, k) => {
    const found = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):/.exec(stamp);
    if (!found) throw new Error(`${file}, line ${k + 2}: "${stamp}" is no local time such as 2026-03-29T13:00.`);
    return numberOfDay(found[1]!) * DAY_HOURS + Number(found[2]!);
  });
  if (hours.length === 0) throw new Error(`${file} has no rows.`);
  const first_day = Math.floor(hours.reduce((a, b) => Math.min(a, b), Infinity) / DAY_HOURS);
  const last = hours.reduce((a, b) => Math.max(a, b), -Infinity);
  const days = Math.floor(last / DAY_HOURS) + 1 - first_day;
  const from = numberOfDay(test_from) - first_day;
  if (!(from > 63 && from < days))
    throw new Error(`--test-from ${test_from} leaves no 9 weeks before it, or nothing after.`);
  const places = hours.map((hour) => hour - first_day * DAY_HOURS);
  return {
    names,
    values: columns.map((column) => onDays(places, column, days)),
    first_day,
    days,
    test_from: from,
    calendar: calendarOf(country),
    unit: 'level',
    window_days: 393,
    refit_days: 30,
  };
}

/** Hours of weather on the days of a set. */
export type LoadWeather = { name: WeatherSeries; unit: string; values: Float64Array };

/** What the weather was in Cambridge, as if it had been forecast without any error. */
export function cambridgeWeather({ first_day, days }: LoadSet): LoadWeather[] {
  const file = findFile('weather_pv_price_co2_2017-2023_hourly.csv.gz', 'load/cambridge');
  const { names, stamps, columns } = readTable(file);
  const places = stamps.map((stamp) => {
    const at = Date.parse(`${stamp}Z`);
    return Math.floor((at + zoneOffset(at, 'Europe/London')) / HOUR_MS) - first_day * DAY_HOURS;
  });
  const of = (column: string) => onDays(places, columns[names.indexOf(column)]!, days);
  return [
    { name: 'temperature', unit: '°C', values: of('temp_c') },
    { name: 'irradiance', unit: 'W/m²', values: of('ghi_wm2') },
  ];
}

/** A reading is known when its hour is over, the weather of a day at its midnight; forecasts are made then. */
export function loadPanel(
  { first_day, days }: LoadSet,
  name: string,
  values: Float64Array,
  weather: readonly LoadWeather[] = [],
): Panel {
  const known_ms = Float64Array.from(
    { length: days * DAY_HOURS },
    (_, k) => dayStart_ms(first_day, 0) + (k + 1) * HOUR_MS,
  );
  const forecast_ms = knownByDay(days, (day) => dayStart_ms(first_day, day));
  return createPanel({
    first_day,
    series: [{ name, unit: '', values, known_ms }, ...weather.map((series) => ({ ...series, known_ms: forecast_ms }))],
    origin: (day) => dayStart_ms(first_day, day),
  });
}
