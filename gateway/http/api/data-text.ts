/** Columns as JSON and CSV text. A year has 35,040 slots: the text is built straight from the typed arrays. */
import { qualityText } from '../../../engine/model/quality.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { DataService } from '../../services.ts';

type Totals = Awaited<ReturnType<DataService['totals']>>;

const DAY_MS = 86_400_000;

/** A function that writes instants as ISO 8601; fast where they follow one another. */
function createIso(): (at_ms: number) => string {
  let day = Number.NaN;
  let date = '';
  const clocks = new Map<number, string>();
  return (at_ms) => {
    const today = Math.floor(at_ms / DAY_MS);
    if (today !== day) {
      day = today;
      date = new Date(today * DAY_MS).toISOString().slice(0, -14);
    }
    const clock_ms = at_ms - today * DAY_MS;
    let clock = clocks.get(clock_ms);
    if (clock === undefined) {
      clock = new Date(clock_ms).toISOString().slice(10);
      if (clocks.size < 10_000) clocks.set(clock_ms, clock);
    }
    return date + clock;
  };
}

/** A function that gives the JSON text of quality marks. */
function createQuality(quote: string): (flags: number) => string {
  const known = new Map<number, string>();
  return (flags) => {
    let text = known.get(flags);
    if (text === undefined) {
      text = `${quote}${qualityText(flags)}${quote}`;
      known.set(flags, text);
    }
    return text;
  };
}

const number = (value: number) => (Number.isFinite(value) ? String(value) : 'null');

function pointsJson(
  at: readonly string[],
  values: Float64Array,
  quality: Int32Array,
  marks: (flags: number) => string,
) {
  let text = '[';
  for (let index = 0; index < values.length; index++)
    text += `${index === 0 ? '' : ','}{"at":"${at[index]}","value":${number(values[index]!)},"quality":${marks(quality[index]!)}}`;
  return `${text}]`;
}

function instants(at_ms: ArrayLike<number>, count = at_ms.length): string[] {
  const iso = createIso();
  const out: string[] = new Array(count);
  for (let index = 0; index < count; index++) out[index] = iso(at_ms[index]!);
  return out;
}

export function seriesJson(meter: string, quantity: string, unit: string, { at_ms, values, quality }: Columns): string {
  const points = pointsJson(instants(at_ms), values, quality, createQuality('"'));
  return `{"meter":${JSON.stringify(meter)},"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"points":${points}}`;
}

export function fleetJson(quantity: string, unit: string, { bounds_ms, rows }: Totals): string {
  const at = instants(bounds_ms, bounds_ms.length - 1);
  const marks = createQuality('"');
  const meters = rows.map(
    (row) => `{"meter":${JSON.stringify(row.meter)},"points":${pointsJson(at, row.values, row.quality, marks)}}`,
  );
  return `{"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"meters":[${meters.join(',')}]}`;
}

export function totalsJson(quantity: string, unit: string, { bounds_ms, rows }: Totals): string {
  const marks = createQuality('"');
  const at = JSON.stringify(instants(bounds_ms, bounds_ms.length - 1));
  const meters = rows.map(
    ({ meter, values, quality }) =>
      `{"meter":${JSON.stringify(meter)},"values":[${Array.from(values, number).join(',')}],"quality":[${Array.from(quality, marks).join(',')}]}`,
  );
  return `{"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"at":${at},"meters":[${meters.join(',')}]}`;
}

/** A cell of CSV; what a spreadsheet would take for a formula is led by an apostrophe. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvNumber = (value: number) => (Number.isFinite(value) ? String(value) : '');

/** Columns as the import reads them: at, meter, the quantity; and its quality. */
export function seriesCsv(meter: string, quantity: string, { at_ms, values, quality }: Columns): string {
  const at = instants(at_ms);
  const marks = createQuality('');
  const name = cell(meter);
  let text = `at,meter,${quantity},quality\r\n`;
  for (let index = 0; index < values.length; index++)
    text += `${at[index]},${name},${csvNumber(values[index]!)},${marks(quality[index]!)}\r\n`;
  return text;
}

export function fleetCsv(quantity: string, { bounds_ms, rows }: Totals): string {
  const at = instants(bounds_ms, bounds_ms.length - 1);
  const marks = createQuality('');
  let text = `at,meter,${quantity},quality\r\n`;
  for (const row of rows) {
    const name = cell(row.meter);
    for (let index = 0; index < row.values.length; index++)
      text += `${at[index]},${name},${csvNumber(row.values[index]!)},${marks(row.quality[index]!)}\r\n`;
  }
  return text;
}

/** One column per meter point. */
export function totalsCsv({ bounds_ms, rows }: Totals): string {
  const lines = instants(bounds_ms, bounds_ms.length - 1).map(
    (at, period) => `${at},${rows.map((row) => csvNumber(row.values[period]!)).join(',')}`,
  );
  return [`at,${rows.map((row) => cell(row.meter)).join(',')}`, ...lines, ''].join('\r\n');
}
