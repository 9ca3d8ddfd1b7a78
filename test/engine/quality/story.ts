/** Reads a counter story: see stories/README.md. */
import { readFileSync } from 'node:fs';
import type { Reading } from '../../../engine/model/reading.ts';

export type Delivery = { arrives_ms: number; readings: Omit<Reading, 'meter'>[] };
export type Story = {
  title: string;
  quantity: string;
  day_ms: number;
  usual_kW: number | null;
  rated_power_W: number | null;
  true_kWh: number | null;
  billed_kWh: number | null;
  mean: number | null;
  marks: string[];
  rejected: number;
  says: string[];
  deliveries: Delivery[];
};

const MIN_MS = 60_000;
const DAY_MS = 86_400_000;

export function readStory(file: string): Story {
  const story: Story = {
    ...{ title: '', quantity: 'import_kWh', day_ms: Date.UTC(2026, 2, 2), usual_kW: null, rated_power_W: null },
    ...{ true_kWh: null, billed_kWh: null, mean: null, marks: [], rejected: 0, says: [], deliveries: [] },
  };
  const state = { power_W: null as number | null, interval_ms: null as number | null, last: 0, backwards: false };
  let delivery: Delivery = { arrives_ms: NaN, readings: [] };
  const finish = () => {
    if (delivery.readings.length === 0) return;
    if (state.backwards) delivery.readings.reverse();
    story.deliveries.push(delivery);
  };
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [word = '', ...rest] = line.split(' ');
    const text = rest.join(' ');
    if (word === '#') story.title = text;
    else if (word === 'quantity') story.quantity = text;
    else if (word === 'day') story.day_ms = Date.parse(`${text}T00:00:00Z`);
    else if (word === 'usual') story.usual_kW = Number(text);
    else if (word === 'rated') story.rated_power_W = Number(text);
    else if (word === 'power') state.power_W = Number(text);
    else if (word === 'true') story.true_kWh = Number(text);
    else if (word === 'billed') story.billed_kWh = Number(text);
    else if (word === 'mean') story.mean = Number(text);
    else if (word === 'marks') story.marks = text.split(' ').sort();
    else if (word === 'rejected') story.rejected = Number(text);
    else if (word === 'says') story.says.push(text);
    else if (word === 'interval') state.interval_ms = Number.parseInt(text, 10) * MIN_MS;
    else if (word === 'backwards') state.backwards = true;
    else if (word === 'again') delivery.readings.push(...delivery.readings.map((reading) => ({ ...reading })));
    else if (word === 'arrives') {
      finish();
      state.backwards = false;
      delivery = { arrives_ms: timeOf(text, story.day_ms), readings: [] };
    } else delivery.readings.push(...readingsOf(line, story, state));
  }
  finish();
  for (const [i, one] of story.deliveries.entries())
    if (Number.isNaN(one.arrives_ms)) {
      const newest_ms = Math.max(...one.readings.map(({ at_ms }) => at_ms));
      story.deliveries[i] = { ...one, arrives_ms: newest_ms + MIN_MS };
    }
  return story;
}

function timeOf(text: string, day_ms: number): number {
  const [, year, plus, hour, minute] =
    /^(?:(\d{4}-\d{2}-\d{2}) |d(\d+) )?(\d\d):(\d\d)$/.exec(text.trim()) ?? fail(`no time: ${text}`);
  const start_ms = year ? Date.parse(`${year}T00:00:00Z`) : day_ms + Number(plus ?? 0) * DAY_MS;
  return start_ms + (Number(hour) * 60 + Number(minute)) * MIN_MS;
}

type State = { power_W: number | null; interval_ms: number | null; last: number; backwards: boolean };

function readingsOf(line: string, story: Story, state: State): Omit<Reading, 'meter'>[] {
  const also = /^also (\S+) (.*)$/.exec(line);
  if (also) return readingsOf(also[2]!, { ...story, quantity: also[1]! }, { ...state, power_W: null });
  const found: Omit<Reading, 'meter'>[] = [];
  for (const [at_ms, value, from_ms] of valuesOf(line, story.day_ms, state)) {
    state.last = value;
    const start_ms = from_ms ?? (state.interval_ms === null ? undefined : at_ms - state.interval_ms);
    const from = start_ms === undefined ? {} : { from_ms: start_ms };
    found.push({ quantity: story.quantity, at_ms, ...from, value, quality: 0 });
    // As a meter would say it: not the same to the digit each time.
    const power_W = (state.power_W ?? 0) * (1 + ((at_ms / MIN_MS) % 7) / 1000);
    if (state.power_W !== null) found.push({ quantity: 'power_W', at_ms, value: power_W, quality: 0 });
  }
  return found;
}

function valuesOf(line: string, day_ms: number, { last }: State): [at_ms: number, value: number, from_ms?: number][] {
  const row = /^(.*?)\.\.(.*?) every (\d+)m (.*)$/.exec(line);
  if (!row) {
    const [, time, value, from] =
      /^((?:\S+ )?\d\d:\d\d) (\S+)(?: from (\d\d:\d\d))?$/.exec(line) ?? fail(`not understood: ${line}`);
    return [[timeOf(time!, day_ms), Number(value), from ? timeOf(from, day_ms) : undefined]];
  }
  const [first_ms, end_ms, step_ms] = [timeOf(row[1]!, day_ms), timeOf(row[2]!, day_ms), Number(row[3]) * MIN_MS];
  const count = Math.round((end_ms - first_ms) / step_ms) + 1;
  const words = row[4]!.split(' ');
  const listed = words[0] === '=' ? words.slice(1).map(Number) : null;
  if (listed && listed.length !== 1 && listed.length !== count) fail(`${count} values are needed: ${line}`);
  const growth = words.at(-1)!.startsWith('+') ? Number(words.at(-1)) : 0;
  const start = words[0]!.startsWith('+') ? last + growth : Number(words[0]);
  const rounded = (value: number) => Math.round(value * 1e6) / 1e6;
  return Array.from({ length: count }, (_, k) => [
    first_ms + k * step_ms,
    listed ? listed[listed.length === 1 ? 0 : k]! : rounded(start + k * growth),
  ]);
}

function fail(message: string): never {
  throw new Error(message);
}
