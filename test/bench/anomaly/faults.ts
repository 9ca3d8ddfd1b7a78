/** Real loads and weather with faults put into them, on which the settings of the detector were chosen. */
import { DAY_HOURS } from '../../../engine/features/panel.ts';
import { createRandom, type Random } from '../../../engine/random.ts';
import { findFile } from '../epf/data.ts';
import { LOAD_SETS, readTable } from '../loads/sets.ts';
import type { Window } from './nab.ts';

export type FaultySeries = { name: string; values: Float64Array; windows: Window[]; kinds: string[] };

type Clean = { name: string; values: Float64Array };
const WEEK = 7 * DAY_HOURS;

/** Days before the test spans of the load benches only. */
export function cleanSeries(): Clean[] {
  const found: Clean[] = [];
  for (const set of ['cambridge', 'uci', 'nrel', 'citylearn-load'] as const) {
    const { names, values, test_from } = LOAD_SETS[set]!();
    for (const [k, name] of names.entries())
      found.push({ name: `${set} ${name}`, values: values[k]!.subarray(0, test_from * DAY_HOURS) });
  }
  const weather = readTable(findFile('weather_pv_price_co2_2017-2023_hourly.csv.gz', 'load/cambridge'));
  const until = 5 * 365 * DAY_HOURS;
  for (const name of ['temp_c', 'rh_pct', 'co2_kg_per_kwh'])
    found.push({ name, values: weather.columns[weather.names.indexOf(name)]!.subarray(0, until) });
  return found;
}

const LENGTHS_DAYS = [80, 150, 215, 300];
const KINDS = ['spike', 'dip', 'shift', 'drift', 'moved', 'flat', 'stuck', 'noise'] as const;

/** A stretch of each series, with two to five faults; windows as NAB makes them: a tenth of the rows in all, centred. */
export function injectFaults(clean: readonly Clean[], seed: number): FaultySeries[] {
  const random = createRandom(seed);
  const made: FaultySeries[] = [];
  for (const { name, values } of clean) {
    const days = LENGTHS_DAYS[Math.floor(random() * LENGTHS_DAYS.length)]!;
    const rows = days * DAY_HOURS;
    const from = Math.floor((random() * (values.length - rows)) / DAY_HOURS) * DAY_HOURS;
    if (from < 0) continue;
    const stretch = values.slice(from, from + rows);
    if (stretch.filter(Number.isNaN).length > 0.1 * rows) continue;
    made.push(faulty(name, stretch, random));
  }
  return made;
}

function faulty(name: string, values: Float64Array, random: Random): FaultySeries {
  const rows = values.length;
  const faults = 2 + Math.floor(random() * 4);
  const width = Math.floor((0.1 * rows) / faults);
  const clean = values.slice();
  const size = usualChange(clean);
  const [windows, kinds]: [Window[], string[]] = [[], []];
  const first = Math.max(WEEK, Math.floor(0.15 * rows)) + width;
  for (let n = 0; n < faults; n++) {
    const room = (rows - first - width) / faults;
    const at = Math.floor(first + n * room + random() * Math.max(1, room - width));
    const kind = KINDS[Math.floor(random() * KINDS.length)]!;
    injectOne(values, clean, { kind, at, size, random });
    windows.push({ from: Math.max(0, at - (width >> 1)), to: Math.min(rows - 1, at + (width >> 1)) });
    kinds.push(kind);
  }
  return { name, values, windows, kinds };
}

type Fault = { kind: (typeof KINDS)[number]; at: number; size: number; random: Random };

function injectOne(values: Float64Array, clean: Float64Array, { kind, at, size, random }: Fault): void {
  const between = (low: number, high: number) => low + random() * (high - low);
  const strength = between(1.5, 6) * size * (random() < 0.5 ? 1 : -1);
  const put = (hours: number, of: (k: number) => number) => {
    for (let k = 0; k < Math.round(hours) && at + k < values.length; k++) values[at + k] = of(k);
  };
  const old = (k: number) => clean[at + k]!;
  if (kind === 'spike') put(between(1, 4), (k) => old(k) + 2 * Math.abs(strength));
  if (kind === 'dip') put(between(1, 6), (k) => old(k) - Math.abs(strength));
  if (kind === 'shift') put(between(12, 144), (k) => old(k) + 0.7 * strength);
  if (kind === 'drift') {
    const hours = between(36, 168);
    put(hours, (k) => old(k) + (strength * k) / hours);
  }
  if (kind === 'moved') {
    const by = Math.round(between(4, 12));
    put(between(1, 4) * DAY_HOURS, (k) => clean[at + k - by]!);
  }
  if (kind === 'flat') {
    const share = between(0, 0.4);
    put(between(1, 4) * DAY_HOURS, (k) => {
      const day = clean.subarray(at + k - DAY_HOURS, at + k).filter((value) => !Number.isNaN(value));
      const low = day.reduce((a, b) => Math.min(a, b), Infinity);
      return low + share * (old(k) - low);
    });
  }
  if (kind === 'stuck') put(between(8, 60), () => clean[at - 1]!);
  if (kind === 'noise') put(between(8, 72), (k) => old(k) + 0.7 * strength * (2 * random() - 1) * 2);
}

/** Mean absolute difference to a week before. */
function usualChange(values: Float64Array): number {
  let [sum, count] = [0, 0];
  for (let k = WEEK; k < values.length; k++) {
    const change = Math.abs(values[k]! - values[k - WEEK]!);
    if (Number.isNaN(change)) continue;
    sum += change;
    count++;
  }
  return sum / count;
}
