/** Columns as JSON and CSV text. A year has 35,040 slots: the text is built straight from the typed arrays. */
import { qualityText } from '../../../engine/model/quality.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { DataService } from '../../services.ts';

type Totals = Awaited<ReturnType<DataService['totals']>>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Gathers text in bytes: strings of megabytes cost more in garbage than in writing. */
function createText() {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  let length = 0;
  let pending = '';
  const flush = (ascii: boolean) => {
    const need = length + (ascii ? pending.length : 3 * pending.length);
    if (need > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(need, 2 * bytes.length));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    length += bytes.write(pending, length, ascii ? 'latin1' : 'utf8');
    pending = '';
  };
  return {
    /** ASCII only. */
    add(text: string) {
      pending += text;
      if (pending.length > PENDING) flush(true);
    },
    /** Makes room at once, so that a long text is not copied again and again. */
    expect(more: number) {
      if (length + more <= bytes.length) return;
      const larger = Buffer.allocUnsafe(length + more);
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    },
    /** Any characters. */
    addAny(text: string) {
      flush(true);
      pending = text;
      flush(false);
    },
    end(): Uint8Array<ArrayBuffer> {
      flush(true);
      return bytes.subarray(0, length) as Uint8Array<ArrayBuffer>;
    },
  };
}
type Text = ReturnType<typeof createText>;

const PENDING = 8 * 1024;
/** About what a point takes. */
const POINT_BYTES = 80;

/** A function that writes instants as ISO 8601; fast where they follow one another in whole minutes. */
function createIso(): (at_ms: number) => string {
  let day_ms = Number.NaN;
  let date = '';
  const minutes: (string | undefined)[] = new Array(24 * 60);
  return (at_ms) => {
    let clock_ms = at_ms - day_ms;
    if (!(clock_ms >= 0 && clock_ms < DAY_MS)) {
      day_ms = Math.floor(at_ms / DAY_MS) * DAY_MS;
      date = new Date(day_ms).toISOString().slice(0, -14);
      clock_ms = at_ms - day_ms;
    }
    const minute = clock_ms / MINUTE_MS;
    if (minute !== Math.trunc(minute)) return date + new Date(clock_ms).toISOString().slice(10);
    minutes[minute] ??= new Date(clock_ms).toISOString().slice(10);
    return date + minutes[minute];
  };
}

/** A function that gives the JSON text of quality marks. */
function createQuality(quote: string): (flags: number) => string {
  const known = new Map<number, string>();
  const ok = `${quote}${qualityText(0)}${quote}`;
  return (flags) => {
    if (flags === 0) return ok;
    let text = known.get(flags);
    if (text === undefined) {
      text = `${quote}${qualityText(flags)}${quote}`;
      known.set(flags, text);
    }
    return text;
  };
}

const number = (value: number) => (Number.isFinite(value) ? String(value) : 'null');

function addPoints(
  text: Text,
  at: (index: number) => string,
  values: Float64Array,
  quality: Int32Array,
  marks: (flags: number) => string,
): void {
  text.add('[');
  text.expect(POINT_BYTES * values.length);
  let before = '{"at":"';
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    // NaN and the infinities less themselves are no zero.
    const number = value - value === 0 ? value : 'null';
    text.add(before + at(index) + '","value":' + number + ',"quality":' + marks(quality[index]!));
    before = '},{"at":"';
  }
  text.add(values.length > 0 ? '}]' : ']');
}

function instants(at_ms: ArrayLike<number>, count = at_ms.length): string[] {
  const iso = createIso();
  const out: string[] = new Array(count);
  for (let index = 0; index < count; index++) out[index] = iso(at_ms[index]!);
  return out;
}

export function seriesJson(meter: string, quantity: string, unit: string, { at_ms, values, quality }: Columns) {
  const text = createText();
  text.addAny(
    `{"meter":${JSON.stringify(meter)},"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"points":`,
  );
  const iso = createIso();
  addPoints(text, (index) => iso(at_ms[index]!), values, quality, createQuality('"'));
  text.add('}');
  return text.end();
}

export function fleetJson(quantity: string, unit: string, { bounds_ms, rows }: Totals) {
  const at = instants(bounds_ms, bounds_ms.length - 1);
  const marks = createQuality('"');
  const text = createText();
  text.addAny(`{"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"meters":[`);
  for (const [index, row] of rows.entries()) {
    text.addAny(`${index === 0 ? '' : ','}{"meter":${JSON.stringify(row.meter)},"points":`);
    addPoints(text, (index) => at[index]!, row.values, row.quality, marks);
    text.add('}');
  }
  text.add(']}');
  return text.end();
}

export function totalsJson(quantity: string, unit: string, { bounds_ms, rows }: Totals) {
  const marks = createQuality('"');
  const at = JSON.stringify(instants(bounds_ms, bounds_ms.length - 1));
  const text = createText();
  text.addAny(`{"quantity":${JSON.stringify(quantity)},"unit":${JSON.stringify(unit)},"at":${at},"meters":[`);
  for (const [index, { meter, values, quality }] of rows.entries()) {
    text.addAny(`${index === 0 ? '' : ','}{"meter":${JSON.stringify(meter)},"values":[`);
    text.add(Array.from(values, number).join(','));
    text.add(`],"quality":[${Array.from(quality, marks).join(',')}]}`);
  }
  text.add(']}');
  return text.end();
}

/** A cell of CSV; what a spreadsheet would take for a formula is led by an apostrophe. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvNumber = (value: number) => (Number.isFinite(value) ? String(value) : '');

/** Columns as the import reads them: at, meter, the quantity; and its quality. */
export function seriesCsv(meter: string, quantity: string, { at_ms, values, quality }: Columns) {
  const text = createText();
  text.add(`at,meter,${quantity},quality\r\n`);
  addLines(text, instants(at_ms), cell(meter), values, quality, createQuality(''));
  return text.end();
}

export function fleetCsv(quantity: string, { bounds_ms, rows }: Totals) {
  const at = instants(bounds_ms, bounds_ms.length - 1);
  const marks = createQuality('');
  const text = createText();
  text.add(`at,meter,${quantity},quality\r\n`);
  for (const row of rows) addLines(text, at, cell(row.meter), row.values, row.quality, marks);
  return text.end();
}

function addLines(
  text: Text,
  at: readonly string[],
  name: string,
  values: Float64Array,
  quality: Int32Array,
  marks: (flags: number) => string,
): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII itself
  const add = /^[\x00-\x7f]*$/.test(name) ? text.add : text.addAny;
  for (let index = 0; index < values.length; index++)
    add(`${at[index]},${name},${csvNumber(values[index]!)},${marks(quality[index]!)}\r\n`);
}

/** One column per meter point. */
export function totalsCsv({ bounds_ms, rows }: Totals) {
  const text = createText();
  text.addAny(`at,${rows.map((row) => cell(row.meter)).join(',')}\r\n`);
  for (const [period, at] of instants(bounds_ms, bounds_ms.length - 1).entries())
    text.add(`${at},${rows.map((row) => csvNumber(row.values[period]!)).join(',')}\r\n`);
  return text.end();
}
