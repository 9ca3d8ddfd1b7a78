/** Guesses from a header and a few rows which column holds what. Wrong guesses are why there is a preview. */
import { quantityInfo } from '../../../engine/model/quantity.ts';
import { unitFactor } from '../profile/units.ts';
import { decodeFileInstant } from './instant.ts';

/** How the columns of a file become readings. */
export type FileMapping = {
  /** Column of the time, or two joined by ` + ` (date and time of day). */
  at: string;
  /** Column of the meter point's id, or null with `meter_id`. */
  meter: string | null;
  meter_id?: string;
  /** IANA zone of times that carry none. */
  time_zone?: string;
  /** Column → quantity. */
  columns: Record<string, string>;
  decimal_comma?: boolean;
  /** Column of the start of an interval; else `interval_min`. */
  from?: string;
  /** Length of an interval in minutes, and whether `at` names its start or end (`end` where not given). */
  interval_min?: number;
  interval_stamp?: 'start' | 'end';
};
export type Guess = { mapping: FileMapping; problems: string[] };

const METER =
  /^(meter|meter[ _-]?(id|point)|z(ä|ae)hler(nummer|punkt)?|z(ä|ae)hlpunkt|messstelle|melo|malo|device|sensor)/i;
const FROM = /^(von|from|start|beginn)/i;
const TO = /^(bis|to|ende?)\b/i;
const DATE = /^(datum|date|tag|day)$/i;
const CLOCK = /^(uhrzeit|zeit|time|time of day)$/i;
const TIME = /^(at|utc|time|timestamp|datetime|date|datum|zeit|zeitstempel|zeitpunkt|messzeit|local)/i;

/** @param rows the first data rows, cells in the order of `header`. */
export function guessMapping(header: readonly string[], rows: readonly (readonly string[])[]): Guess {
  const names = header.map((name) => name.trim());
  const decimal_comma = usesDecimalComma(rows);
  const times = timeColumns(names);
  const meter = names.find((name) => METER.test(name)) ?? null;
  const mapping: FileMapping = { at: times.at ?? '', meter, columns: {} };
  if (decimal_comma) mapping.decimal_comma = true;
  if (times.from !== undefined) mapping.from = times.from;
  for (const [i, name] of names.entries()) {
    if (name === meter || name === times.from || mapping.at.split(' + ').includes(name)) continue;
    const quantity = guessQuantity(
      name,
      rows.map((row) => parseDecimal(row[i] ?? '', decimal_comma)),
    );
    if (quantity !== null && !Object.values(mapping.columns).includes(quantity)) mapping.columns[name] = quantity;
  }
  guessInterval(mapping, names, rows);
  return { mapping, problems: mappingProblems(mapping, names) };
}

/** @returns what keeps a mapping from being used on a file with this header, as sentences. */
export function mappingProblems(mapping: FileMapping, header: readonly string[]): string[] {
  const problems: string[] = [];
  const has = (name: string) => header.some((column) => column.trim() === name);
  if (mapping.at === '') problems.push('No column with the time was found; choose it.');
  else for (const name of mapping.at.split(' + ')) if (!has(name)) problems.push(`There is no column "${name}".`);
  if (mapping.meter !== null && !has(mapping.meter)) problems.push(`There is no column "${mapping.meter}".`);
  if (mapping.meter === null && !mapping.meter_id) problems.push('Choose the meter point that the file is for.');
  const columns = Object.entries(mapping.columns);
  if (columns.length === 0) problems.push('No column with a quantity was found; say which column is which quantity.');
  for (const [name, quantity] of columns) {
    const info = quantityInfo(quantity);
    if (!has(name)) problems.push(`There is no column "${name}".`);
    if (!info) problems.push(`"${quantity}" is no quantity of ours.`);
    else if (info.kind === 'interval' && mapping.from === undefined && !mapping.interval_min)
      problems.push(`${quantity} is energy per interval; say how long an interval is.`);
    const factor = columnFactor(name, quantity);
    if (info && typeof factor === 'string') problems.push(`Column "${name}": ${factor}.`);
  }
  return problems;
}

function timeColumns(names: readonly string[]): { at?: string; from?: string } {
  const find = (pattern: RegExp) => names.find((name) => pattern.test(name));
  const exact = names.find((name) => name === 'at');
  const [from, to] = [find(FROM), find(TO)];
  if (from !== undefined && to !== undefined) return { at: to, from };
  const [date, clock] = [find(DATE), find(CLOCK)];
  if (exact === undefined && date !== undefined && clock !== undefined) return { at: `${date} + ${clock}` };
  return { at: exact ?? find(TIME) ?? from ?? to };
}

const UNIT_BRACKETS = /[[(]\s*([^\])]+?)\s*[\])]/;
const UNIT_END = /[\s_.]((?:[kM]?Wh|[kM]?W|k?varh?|k?VA|[mk]?V|m?A|m?Hz|°C|%|m³|m3|l|[MG]J))$/;

/** The unit a column's name ends in, or null. */
export function unitOfColumn(name: string): string | null {
  const unit = (UNIT_BRACKETS.exec(name) ?? UNIT_END.exec(name))?.[1];
  if (unit === undefined) return null;
  return unit
    .replace(/^m3$/, 'm³')
    .replace(/^(°?C|Grad)$/, '°C')
    .replace(/^kw(h?)$/i, 'kW$1')
    .replace(/^kWH$/, 'kWh');
}

/** The factor from what a column is in to the quantity's unit; a reason where that cannot be. */
export function columnFactor(name: string, quantity: string): number | string {
  const unit = name === quantity ? null : unitOfColumn(name);
  return unit === null ? 1 : unitFactor(unit, quantity);
}

const RULES: readonly { unit: RegExp; words?: RegExp; quantity: string }[] = [
  { unit: /^[kM]?W$/, quantity: 'power_W' },
  { unit: /^k?var$/, quantity: 'reactive_power_var' },
  { unit: /^k?VA$/, quantity: 'apparent_power_VA' },
  { unit: /^[mk]?V$/, quantity: 'voltage_V' },
  { unit: /^m?A$/, quantity: 'current_A' },
  { unit: /^m?Hz$/, quantity: 'frequency_Hz' },
  { unit: /^°C$/, quantity: 'temperature_C' },
  { unit: /^%$/, words: /feucht|humid/i, quantity: 'humidity_percent' },
  { unit: /^%$/, words: /soc|ladezustand|charge|batter/i, quantity: 'soc_percent' },
  { unit: /^W\/m²$/, quantity: 'irradiance_W_m2' },
  { unit: /^(m³|l)$/, words: /gas/i, quantity: 'gas_m3' },
  { unit: /^(m³|l)$/, words: /wasser|water/i, quantity: 'water_m3' },
  { unit: /^([kM]?Wh|[MG]J)$/, words: /w(ä|ae)rme|heat/i, quantity: 'heat_kWh' },
  {
    unit: /^[kM]?Wh$/,
    words: /einspeis|export|feed|liefer|abgabe|2\.8\.0|erzeug|generat|produ/i,
    quantity: 'export_kWh',
  },
  { unit: /^[kM]?Wh$/, quantity: 'import_kWh' },
];
const REGISTER_WORDS = /stand|register|counter|total|[12]\.8\.0/i;
const INTERVAL_WORDS = /verbrauch|consumption|lastgang|interval|je |per |pro /i;

function guessQuantity(name: string, values: readonly (number | null)[]): string | null {
  if (quantityInfo(name)) return name;
  const unit = unitOfColumn(name);
  if (unit === null) return null;
  const rule = RULES.find((one) => one.unit.test(unit) && (one.words?.test(name) ?? true));
  if (!rule) return null;
  const interval = rule.quantity.replace(/_(kWh|m3)$/, '_interval_$1');
  if (interval === rule.quantity || REGISTER_WORDS.test(name)) return rule.quantity;
  return INTERVAL_WORDS.test(name) || !growsLikeRegister(values) ? interval : rule.quantity;
}

/** A register never falls, and what it has counted before the file is more than it counts in a row. */
function growsLikeRegister(values: readonly (number | null)[]): boolean {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length < 3) return false;
  const steps = numbers.slice(1).map((value, i) => value - numbers[i]!);
  return steps.every((step) => step >= 0) && numbers[0]! >= Math.max(...steps);
}

function guessInterval(mapping: FileMapping, names: readonly string[], rows: readonly (readonly string[])[]): void {
  const intervals = Object.values(mapping.columns).some((quantity) => quantityInfo(quantity)?.kind === 'interval');
  if (!intervals) delete mapping.from;
  if (!intervals || mapping.from !== undefined || rows.length < 2) return;
  const columns = mapping.at.split(' + ').map((name) => names.indexOf(name));
  const times = rows.map((row) => decodeFileInstant(columns.map((i) => row[i] ?? '').join(' '), 'UTC'));
  const instants = times.filter((time) => typeof time === 'number');
  const steps = instants
    .slice(1)
    .map((at_ms, i) => at_ms - instants[i]!)
    .filter((step) => step > 0);
  if (steps.length === 0) return;
  mapping.interval_min = Math.min(...steps) / 60_000;
  // A series whose first row says 00:00 begins its day there; one that names ends begins with 00:15.
  mapping.interval_stamp = FROM.test(mapping.at) || instants[0]! % 86_400_000 === 0 ? 'start' : 'end';
}

function usesDecimalComma(rows: readonly (readonly string[])[]): boolean {
  const cells = rows.flat().map((cell) => cell.trim());
  const count = (pattern: RegExp) => cells.filter((cell) => pattern.test(cell)).length;
  return count(/^-?(\d+|\d{1,3}(\.\d{3})+),\d+$/) > count(/^-?(\d+|\d{1,3}(,\d{3})+)\.\d+$/);
}

const MISSING = /^(|-|–|n\/?a|nan|null|none|#n\/?a|---)$/i;

/** @returns the number in a cell, null for one that says there is none, NaN for one that is no number. */
export function parseDecimal(cell: string, decimal_comma: boolean): number | null {
  const text = cell.trim();
  if (MISSING.test(text)) return null;
  const plain = decimal_comma ? text.replace(/[.\s'](?=\d{3})/g, '').replace(',', '.') : text;
  const grouped = !decimal_comma && /^[+-]?\d{1,3}([,\s']\d{3})+(\.\d+)?$/.test(plain);
  const digits = grouped ? plain.replace(/[,\s']/g, '') : plain;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits) ? Number(digits) : Number.NaN;
}
