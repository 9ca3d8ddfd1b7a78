/** Real meters by the hour, with what is known to be bad in them marked as missing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HOUR_MS, instantOf } from '../../engine/model/time.ts';

/** Hourly energy on a grid without holes; NaN is missing in the data themselves. */
export type BenchMeter = { name: string; time_zone: string; from_ms: number; values: Float64Array };

export const LOADS = 'load/cambridge/electricity_40bld_2017-2022_hourly.csv.gz';
const HOMES = 'load/citylearn/citylearn2022_17homes_hourly.csv.gz';
const HOUSEHOLD = 'load/misc/UCI_household_hourly_2006-2010.csv.gz';
const OFFICE = 'load/misc/NREL_RSF_office_2011_hourly.csv.gz';

const linesOf = (file: string) =>
  gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(','));

export function* loadMeters(data: string): Generator<BenchMeter> {
  yield* cambridge(join(data, LOADS));
  if (existsSync(join(data, HOMES))) yield* homes(join(data, HOMES));
  if (existsSync(join(data, HOUSEHOLD))) yield household(join(data, HOUSEHOLD));
  if (existsSync(join(data, OFFICE))) yield office(join(data, OFFICE));
}

/** The publisher codes missing hours as 0; times are UTC. */
function* cambridge(file: string): Generator<BenchMeter> {
  const [head = [], ...rows] = linesOf(file);
  const from_ms = Date.parse(`${rows[0]![0]}Z`);
  for (const [k, name] of head.slice(1).entries()) {
    const values = Float64Array.from(rows, (row) => Number(row[k + 1]) || NaN);
    yield { name, time_zone: 'Europe/London', from_ms, values };
  }
}

/** Local hours without a date, from 1 August 2016; two of the homes are empty for half the year: 0 is missing there. */
function* homes(file: string): Generator<BenchMeter> {
  const [head = [], ...rows] = linesOf(file);
  // No clock change in the data: counted in standard time.
  const time_zone = 'Etc/GMT+8';
  const from_ms = instantOf(time_zone, 2016, 8, 1);
  for (const [k, name] of head.entries()) {
    const home = /^b(\d+)_load_kwh$/.exec(name);
    if (!home) continue;
    const values = Float64Array.from(rows, (row) => Number(row[k]) || NaN);
    yield { name: `home${home[1]}`, time_zone, from_ms, values };
  }
}

/** Sums of minutes; month and day are swapped in the file wherever the day is 12 or less. */
function household(file: string): BenchMeter {
  const [, ...rows] = linesOf(file);
  const time_zone = 'Etc/GMT-1';
  const at = rows.map(([text = '']) => {
    const [year, month, day, hour] = text.split(/[- :T]/).map(Number) as [number, number, number, number];
    return day <= 12 ? Date.UTC(year, day - 1, month, hour) : Date.UTC(year, month - 1, day, hour);
  });
  const from_ms = Math.min(...at);
  const values = new Float64Array((Math.max(...at) - from_ms) / HOUR_MS + 1).fill(NaN);
  for (const [i, row] of rows.entries()) {
    const known = Number(row[1]) > 0 && Number(row[3]) >= 13_000;
    if (known) values[(at[i]! - from_ms) / HOUR_MS] = Number(row[1]) / 60;
  }
  return { name: 'uci', time_zone, from_ms: from_ms - HOUR_MS, values };
}

function office(file: string): BenchMeter {
  const [head = [], ...rows] = linesOf(file);
  const k = head.indexOf('building_kw');
  const values = Float64Array.from(rows, (row) => Number(row[k]) || NaN);
  return { name: 'office', time_zone: 'Etc/GMT+7', from_ms: Date.UTC(2011, 0, 1, 7), values };
}
