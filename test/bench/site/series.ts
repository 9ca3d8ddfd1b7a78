/** Real loads, generation and prices by the hour, each on its own local clock without changes of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HOUR_MS, localTime } from '../../../engine/model/time.ts';
import { loadMeters } from '../meter-data.ts';

export const DAY_HOURS = 24;
const DAY_MS = DAY_HOURS * HOUR_MS;

/** Whole local days: hour h of day d is at 24 d + h. NaN is missing. */
export type HourlySeries = {
  name: string;
  /** The first day, counted from 1970-01-01. */
  first_day: number;
  values: Float64Array;
};
export type Market = HourlySeries & { currency: string };
export type SiteData = {
  /** kWh an hour. */
  buildings: HourlySeries[];
  homes: HourlySeries[];
  /** kWh an hour of a plant of 1 kWp, by the name of a home; '' is for buildings. */
  plants: Map<string, HourlySeries>;
  /** Outside, °C. */
  temperature: HourlySeries;
  /** What a kWh costs, its fixed part included. */
  markets: Market[];
};

const WEATHER = 'load/cambridge/weather_pv_price_co2_2017-2023_hourly.csv.gz';
const HOMES = 'load/citylearn/citylearn2022_17homes_hourly.csv.gz';
const GERMANY = 'prices/de/DE-LU_2019-2023_hourly_LEAR.csv.gz';
const TEXAS = 'prices/ercot/ERCOT_HUBAVG_DA_hourly.csv.gz';
/** Grid, taxes and supplier, a kWh: Germany about 0.15 EUR (BDEW price analysis 2023), Texas about 0.06 USD. */
const FIXED_PER_KWH = { germany: 0.15, texas: 0.06 } as const;
const FIRST_HOME_DAY = Date.UTC(2016, 7, 1) / DAY_MS;

/** @param data the data folder. */
export function loadSiteData(data: string): SiteData {
  const meters = [...loadMeters(data)].map(({ name, time_zone, from_ms, values }) => {
    const hour = localTime(from_ms, time_zone).hour;
    const offset = ((hour - new Date(from_ms).getUTCHours() + 36) % 24) - 12;
    return wholeDays(name, from_ms + offset * HOUR_MS, values);
  });
  const weather = columnsOf(join(data, WEATHER), ['pv_w_per_kw', 'temp_c', 'agile_gbp_per_kwh']);
  const [sun, temperature, agile] = weather.map((values, k) =>
    wholeDays(['sun', 'temperature', 'agile'][k]!, Date.UTC(2017, 0, 1), values),
  ) as [HourlySeries, HourlySeries, HourlySeries];
  const plants = new Map([['', { ...sun, values: sun.values.map((W) => W / 1000) }]]);
  for (const home of meters.filter(({ name }) => name.startsWith('home'))) {
    const [W] = columnsOf(join(data, HOMES), [`b${home.name.slice(4)}_pv_w_per_kw`]);
    plants.set(home.name, { name: home.name, first_day: FIRST_HOME_DAY, values: W!.map((value) => value / 1000) });
  }
  const isHome = ({ name }: HourlySeries) => name.startsWith('home') || name === 'uci';
  return {
    buildings: meters.filter((meter) => !isHome(meter)),
    homes: meters.filter((meter) => isHome(meter) && knownShare(meter) > 0.95),
    ...{ plants, temperature },
    markets: [
      market(join(data, GERMANY), 'germany', Date.UTC(2018, 11, 27), 'EUR'),
      market(join(data, TEXAS), 'texas', Date.UTC(2023, 11, 31, 18), 'USD'),
      { ...fromFirstKnown(agile), currency: 'GBP' },
    ],
  };
}

function market(file: string, name: keyof typeof FIXED_PER_KWH, from_ms: number, currency: string): Market {
  const [column] = columnsOf(file, [name === 'germany' ? 'price' : 'price_usd_per_mwh']);
  const series = wholeDays(name, from_ms, column!);
  return { ...series, currency, values: series.values.map((perMWh) => FIXED_PER_KWH[name] + perMWh / 1000) };
}

/** @param local_ms the first value's local time, as if it were UTC. */
function wholeDays(name: string, local_ms: number, values: Float64Array): HourlySeries {
  const first_day = Math.ceil(local_ms / DAY_MS);
  const skip = (first_day * DAY_MS - local_ms) / HOUR_MS;
  const days = Math.floor((values.length - skip) / DAY_HOURS);
  return { name, first_day, values: values.slice(skip, skip + days * DAY_HOURS) };
}

const knownShare = ({ values }: HourlySeries): number => values.filter((v) => !Number.isNaN(v)).length / values.length;

function fromFirstKnown(series: HourlySeries): HourlySeries {
  const at = Math.ceil(series.values.findIndex((value) => !Number.isNaN(value)) / DAY_HOURS);
  return { ...series, first_day: series.first_day + at, values: series.values.slice(at * DAY_HOURS) };
}

function columnsOf(file: string, names: readonly string[]): Float64Array[] {
  const [head = '', ...rows] = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  const columns = head.split(',');
  const cells = rows.map((row) => row.split(','));
  return names.map((name) => {
    const k = columns.indexOf(name);
    return Float64Array.from(cells, (row) => (row[k] ? Number(row[k]) : NaN));
  });
}
