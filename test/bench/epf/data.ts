/** Files of day-ahead prices and of published forecasts: `ts_local` and one column per series, 24 hours a day. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createPanel, DAY_HOURS, dayStart_ms, knownByDay, type Panel } from '../../../engine/features/panel.ts';

const DAY_MS = 24 * 3_600_000;

export type DayTable = { names: string[]; first_day: number; days: number; columns: Float64Array[] };

export function benchData(): string {
  return resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');
}

/** A path as given, else within the bench data, with or without `.csv.gz`. */
export function findFile(name: string, folder: string): string {
  const data = benchData();
  const tried = [name, join(data, name), join(data, folder, name), join(data, folder, `${name}.csv.gz`)];
  const found = tried.find((file) => existsSync(file));
  if (!found) throw new Error(`${name} is not there (looked at ${tried.join(', ')}).`);
  return found;
}

export function readText(file: string): string {
  const bytes = readFileSync(file);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
}

/** @throws Error naming the line, where a line is malformed or an hour is missing, doubled or out of order. */
export function readDayTable(file: string): DayTable {
  const [head = '', ...lines] = readText(file).trim().split(/\r?\n/);
  const names = head.split(',').slice(1);
  if (lines.length === 0 || lines.length % DAY_HOURS !== 0)
    throw new Error(`${file} has ${lines.length} hours: whole days of 24 are needed.`);
  const start_ms = Date.parse(`${lines[0]!.split(',')[0]!.replace(' ', 'T')}Z`);
  const columns = names.map(() => new Float64Array(lines.length));
  for (const [k, line] of lines.entries()) {
    const cells = line.split(',');
    const at_ms = Date.parse(`${cells[0]!.replace(' ', 'T')}Z`);
    if (at_ms !== start_ms + k * 3_600_000)
      throw new Error(`${file}, line ${k + 2}: expected the hour after the one before, not ${cells[0]}.`);
    for (const [c, column] of columns.entries()) {
      const cell = cells[c + 1]?.trim() ?? '';
      const value = cell === '' ? NaN : Number(cell);
      if (cell !== '' && !Number.isFinite(value))
        throw new Error(`${file}, line ${k + 2}: "${cell}" in ${names[c]} is no number.`);
      column[k] = value;
    }
  }
  if (start_ms % DAY_MS !== 0) throw new Error(`${file} does not begin at the start of a day.`);
  return { names, first_day: start_ms / DAY_MS, days: lines.length / DAY_HOURS, columns };
}

/** Prices of a day are known the noon before it; the other columns, which are forecasts, an hour before that. */
export function pricePanel({ names, first_day, days, columns }: DayTable): Panel {
  const start = (day: number) => dayStart_ms(first_day, day);
  return createPanel({
    first_day,
    series: names.map((name, s) => ({
      name,
      unit: s === 0 ? 'per MWh' : 'MW',
      values: columns[s]!,
      known_ms: knownByDay(days, (day) => start(day) - (s === 0 ? 11.25 : 13) * 3_600_000),
    })),
    // Before the auction's results: prices to the end of the day before, forecasts to the end of this one.
    origin: (day) => start(day) - 12 * 3_600_000,
  });
}
