/** Prices from CSV files: people's own tables, and exports of market operators. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Fault, InvalidDataError } from '../../engine/errors.ts';
import type { PriceSeries } from '../../engine/model/price.ts';
import { HOUR_MS, instantOf, SLOT_MS, zoneOffset } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { priceArea } from './areas.ts';
import { type PriceInterval, slotsOfIntervals } from './intervals.ts';

export type CsvContext = { area: string; time_zone: string; currency: string };
type Column = { at: string; price: string; factor: number; currency: string; has_decimal_comma: boolean };
type Row = Record<string, string>;

const LIMIT_ROWS = 500_000;
const AT = /^(at|time|timestamp|date ?time|start|from|valid_from|ts|ts_utc|ts_local|datum.*|zeit.*|von)$/i;
const PRICE = /price|preis|value|wert|\bkwh\b|mwh/i;
const REMEDY = 'Give a header with a time column `at` and a price column such as `price_EUR_MWh` or `price_ct_kWh`.';

/**
 * Decodes a table with a time and a price column into slots. Units per kWh, in cents, or per MWh (default) come from
 * the price column's name; times without zone are local to `time_zone`, and a wall clock time that stands there twice
 * is the doubled hour of autumn. Each price holds until the next row (15, 30 or 60 minutes).
 * @throws InvalidDataError with the line of each fault.
 */
export function decodePriceCsv(csv: string, context: CsvContext): PriceSeries {
  const rows = rowsOf(csv);
  const column = columnsOf(rows, context, csv);
  const faults: Fault[] = [];
  const clock = createLocalClock(context.time_zone);
  const points = rows.map((row, i) => {
    const at_ms = clock(row[column.at] ?? '');
    const value = amountOf(row[column.price] ?? '', column);
    // the header is line 1
    const where = `line ${i + 2}`;
    if (!Number.isFinite(at_ms) || at_ms % SLOT_MS !== 0)
      faults.push({ where, problem: `\`${row[column.at]}\` is no time on a quarter of an hour` });
    if (value !== null && !Number.isFinite(value))
      faults.push({ where, problem: `\`${row[column.price]}\` is no number` });
    return { at_ms, value };
  });
  if (faults.length > 0)
    throw new InvalidDataError(
      `The file has ${faults.length} faults, the first in ${faults[0]?.where}: ${faults[0]?.problem}.`,
      'Nothing was loaded. Mend the lines and load the file again.',
      faults.slice(0, 1000),
    );
  const intervals = intervalsOf(points);
  const range = { from_ms: intervals[0]?.from_ms ?? 0, to_ms: intervals.at(-1)?.to_ms ?? 0 };
  return {
    area: context.area,
    market: 'day-ahead',
    currency: column.currency,
    vat_included: false,
    source: 'csv',
    slots: slotsOfIntervals('The file', intervals, range),
  };
}

/** Serves an area while a file `<folder>/<area>.csv` lies there; other programs put it there. */
export function createCsvPrices(folder: string): PriceProvider {
  const path = (area: string) => join(folder, `${area}.csv`);
  return {
    name: 'csv',
    markets: ['day-ahead'],
    serves: (area) => /^[\w-]{1,40}$/.test(area),
    async fetch({ area, market, from_ms, to_ms }) {
      const known = priceArea(area);
      const context = { area, time_zone: known?.time_zone ?? 'UTC', currency: known?.currency ?? 'EUR' };
      const empty = { area, market, currency: context.currency, vat_included: false, source: 'csv', slots: [] };
      if (!(await stat(path(area)).catch(() => null))?.isFile()) return empty;
      const series = decodePriceCsv(await readFile(path(area), 'utf8'), context);
      return { ...series, slots: series.slots.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms) };
    },
  };
}

function rowsOf(csv: string): Row[] {
  const firstLine = csv.slice(0, 2000).split('\n', 1)[0] ?? '';
  const delimiter = firstLine.includes(';') ? ';' : firstLine.includes('\t') ? '\t' : ',';
  try {
    const rows = parse(csv, { columns: true, bom: true, delimiter, trim: true, skip_empty_lines: true }) as Row[];
    if (rows.length === 0) throw new InvalidDataError('The file holds no prices.', REMEDY);
    if (rows.length > LIMIT_ROWS)
      throw new InvalidDataError(`The file has more than ${LIMIT_ROWS} lines.`, 'Load it in parts.');
    return rows;
  } catch (error) {
    if (error instanceof InvalidDataError) throw error;
    throw new InvalidDataError(`The file is no CSV table: ${(error as Error).message}`, REMEDY);
  }
}

function columnsOf(rows: readonly Row[], context: CsvContext, csv: string): Column {
  const names = Object.keys(rows[0] ?? {});
  const at = names.find((name) => AT.test(name));
  const price = names.find((name) => name !== at && PRICE.test(name));
  if (at === undefined || price === undefined)
    throw new InvalidDataError(`The file has the columns ${names.join(', ')}, but no time or no price.`, REMEDY);
  const unit = price.toLowerCase();
  const is_cents = /(^|[^a-z])(ct|cent|cents|p|pence)([^a-z]|$)|¢/.test(unit);
  return {
    at,
    price,
    factor: (unit.includes('kwh') ? 1000 : 1) / (is_cents ? 100 : 1),
    currency:
      /(?:^|[^A-Za-z])(EUR|USD|GBP|CHF|NOK|SEK|DKK|PLN|CZK|HUF|RON|BGN)(?:[^A-Za-z]|$)/i
        .exec(price)?.[1]
        ?.toUpperCase() ?? context.currency,
    has_decimal_comma: (csv.split('\n', 1)[0] ?? '').includes(';'),
  };
}

/** An empty cell is a price that is known to be missing. */
function amountOf(cell: string, column: Column): number | null {
  if (/^(|null|nan|n\/a|-)$/i.test(cell)) return null;
  const plain = column.has_decimal_comma ? cell.replaceAll('.', (dot) => (cell.includes(',') ? '' : dot)) : cell;
  return Number(plain.replace(',', '.')) * column.factor;
}

/** Reads instants in order, so that the second pass of the doubled hour can be told from the first. */
function createLocalClock(time_zone: string): (cell: string) => number {
  const seen = new Set<number>();
  return (cell) => {
    if (/^\d{12,14}$/.test(cell)) return Number(cell);
    if (/(z|[+-]\d{2}:?\d{2})$/i.test(cell)) return Date.parse(cell);
    const iso = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{1,2}):(\d{2})/.exec(cell);
    const german = /^(\d{2})\.(\d{2})\.(\d{4})[ T](\d{1,2}):(\d{2})/.exec(cell);
    const [year, month, day, hour, minute] = (
      iso ? iso.slice(1) : german ? [german[3], german[2], german[1], german[4], german[5]] : []
    ).map(Number);
    if (year === undefined || month === undefined || day === undefined) return Number.NaN;
    const first_ms = instantOf(time_zone, year, month, day, hour, minute);
    const second_ms = first_ms + zoneOffset(first_ms, time_zone) - zoneOffset(first_ms + HOUR_MS, time_zone);
    const at_ms = seen.has(first_ms) ? second_ms : first_ms;
    seen.add(at_ms);
    return at_ms;
  };
}

/** A price holds as long as the rows around it are apart, an hour at most: a hole in the table stays a hole. */
function intervalsOf(points: readonly { at_ms: number; value: number | null }[]): PriceInterval[] {
  const ordered = points.toSorted((a, b) => a.at_ms - b.at_ms);
  const step_ms = (i: number) => {
    const step = (ordered[i + 1]?.at_ms ?? Number.NaN) - (ordered[i]?.at_ms ?? Number.NaN);
    return step > 0 ? step : Number.POSITIVE_INFINITY;
  };
  return ordered.map(({ at_ms, value }, i) => ({
    from_ms: at_ms,
    to_ms: at_ms + Math.min(step_ms(i - 1), step_ms(i), HOUR_MS),
    value,
  }));
}
