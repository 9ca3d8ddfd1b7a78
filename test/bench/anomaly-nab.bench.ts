/** Alerts on labelled files of the Numenta Anomaly Benchmark, which nothing was tuned on. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type NabScore, nabScore, type Window } from './anomaly/nab.ts';
import { alarmRows } from './anomaly/watch.ts';
import { benchData, readText } from './epf/data.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'alerts on labelled files: --dir D, a folder of NAB-shaped CSV files (timestamp,value; plain or gzip) with labels.json';

type Labels = Record<string, [string, string][]>;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const dir = options.dir ?? join(benchData(), 'load/nab');
  const labels = readLabels(dir);
  const files = readdirSync(dir).filter((file) => /\.csv(\.gz)?$/.test(file) && labels.has(nameOf(file)));
  if (files.length === 0) throw new Error(`${dir} has no CSV file that its labels name.`);
  const scores = files.sort().map((file) => {
    const scored = scoreFile(join(dir, file), labels.get(nameOf(file))!);
    progress(`${file}: ${scored.hits} of ${scored.perfect} found, ${scored.false_alarms} false alarms`);
    return [nameOf(file), scored] as const;
  });
  return {
    score: percent(scores.map(([, scored]) => scored)),
    ...Object.fromEntries(scores.map(([name, scored]) => [`score_${name}`, percent([scored])])),
    found: scores.reduce((sum, [, { hits }]) => sum + hits, 0),
    windows: scores.reduce((sum, [, { perfect }]) => sum + perfect, 0),
    false_alarms: scores.reduce((sum, [, { false_alarms }]) => sum + false_alarms, 0),
  };
}

/** @returns null where no window lies behind the probation. */
function percent(scores: readonly NabScore[]): number | null {
  const sum = (of: (score: NabScore) => number) => scores.reduce((total, one) => total + of(one), 0);
  const room = sum(({ perfect, none }) => perfect - none);
  return room === 0 ? null : Math.round((10_000 * sum(({ score, none }) => score - none)) / room) / 100;
}

const nameOf = (file: string): string => basename(file).replace(/\.csv(\.gz)?$/, '');

/** Windows by the name of their file; the labels may name its folder as well. */
function readLabels(dir: string): Map<string, [string, string][]> {
  const file = ['labels.json', 'labels.json.gz', 'combined_windows.json']
    .map((name) => join(dir, name))
    .find(existsSync);
  if (!file) throw new Error(`${dir} has no labels.json.`);
  return new Map(
    Object.entries(JSON.parse(readText(file)) as Labels).map(([path, windows]) => [nameOf(path), windows]),
  );
}

/** Times are naive: read as UTC, so that no hour is missing or doubled. */
function parseTime(text: string): number {
  const at_ms = Date.parse(
    `${text
      .trim()
      .replace(' ', 'T')
      .replace(/\.\d+$/, '')}Z`,
  );
  if (Number.isNaN(at_ms)) throw new Error(`"${text}" is no time such as 2014-07-01 00:30:00.`);
  return at_ms;
}

function scoreFile(file: string, spans: readonly [string, string][]): NabScore {
  const [, ...lines] = readText(file).trim().split(/\r?\n/);
  const cells = lines.map((line) => line.split(','));
  const at_ms = cells.map(([time = '']) => parseTime(time));
  const values = cells.map(([, value = '']) => (value.trim() === '' ? NaN : Number(value)));
  const windows = spans
    .map(([from, to]): Window => {
      const [from_ms, to_ms] = [parseTime(from), parseTime(to)];
      return { from: at_ms.findIndex((at) => at >= from_ms), to: at_ms.findLastIndex((at) => at <= to_ms) };
    })
    .filter(({ from, to }) => from >= 0 && to >= from);
  return nabScore(at_ms.length, alarmRows(at_ms, values), windows);
}
