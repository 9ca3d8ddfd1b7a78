/** Between the fields of a form and a device of the plan. What is checked here is what can be typed wrongly. */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import type { FormState } from '../../../web/components/controls.ts';
import {
  type DeviceKind,
  MOST_ROWS,
  NUMBER_FIELDS,
  type NumberField,
  REGISTER_FIELD,
  REGISTER_TYPES,
  ROW_FIELDS,
  RUNNING_FIELDS,
  SAFE_FIELD,
  SECTION_14A_FIELD,
  SECTION_14A_KINDS,
  UNIT_FIELD,
} from '../../../web/pages/plan-device-fields.ts';
import type { Ui } from '../../../web/ui.ts';

type Values = Readonly<Record<string, string>>;
type Properties = Readonly<Record<string, unknown>>;
const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What stands in the form for a stored device. */
export function deviceValues(device: PlanDevice, ui: Pick<Ui, 'language'>): Record<string, string> {
  const { control, section_14a } = device;
  const number = (value: unknown, { factor }: Pick<NumberField, 'factor'>) =>
    typeof value === 'number' ? written(value / factor, ui) : '';
  const values: Record<string, string> = { name: device.name, ...rowValues(device, ui) };
  const take = (fields: readonly NumberField[], from: Properties | null) => {
    for (const one of fields) values[one.name] = number(from?.[one.key], one);
  };
  take(NUMBER_FIELDS[device.kind], device);
  if ('running' in device) take(RUNNING_FIELDS, device.running);
  take([SECTION_14A_FIELD], section_14a);
  values.section_14a = section_14a?.kind ?? '';
  if ('soc_meter' in device) values.soc_meter = device.soc_meter ?? '';
  if ('meter' in device) values.meter = device.meter ?? '';
  if (device.kind === 'battery') {
    if (device.charge_from_grid) values.charge_from_grid = 'yes';
    if (device.discharge_to_grid) values.discharge_to_grid = 'yes';
  }
  values.way = control.way;
  if (control.way === 'none') return values;
  take([SAFE_FIELD], control);
  if (control.writing) values.writing = 'yes';
  values[`${control.way}_device`] = control.device;
  if (control.way === 'modbus') {
    take([REGISTER_FIELD, UNIT_FIELD], control);
    values.type = control.type;
  }
  return values;
}

function rowValues(device: PlanDevice, ui: Pick<Ui, 'language'>): Record<string, string> {
  const rows =
    device.kind === 'vehicle'
      ? device.stays.map(({ weekdays, arrive, depart, goal_percent }) => ({ weekdays, arrive, depart, goal_percent }))
      : device.kind === 'load'
        ? device.windows
        : [];
  const values: Record<string, string> = { rows: String(rows.length) };
  rows.forEach(({ weekdays, ...row }, i) => {
    const prefix = `${device.kind === 'vehicle' ? ROW_FIELDS.vehicle.prefix : ROW_FIELDS.load.prefix}_${i}`;
    for (const day of weekdays) values[`${prefix}_d${day}`] = 'yes';
    // A span that ends at midnight ends at 24:00 or at 00:00: the same to a plan, and browsers know only the latter.
    for (const [key, value] of Object.entries(row))
      values[`${prefix}_${key}`] = typeof value === 'number' ? written(value, ui) : value === '24:00' ? '00:00' : value;
  });
  return values;
}

/** A number as the reader's language writes it. */
export function written(value: number, { language }: Pick<Ui, 'language'>): string {
  const text = String(Math.round(value * 1e6) / 1e6);
  return language === 'de' ? text.replace('.', ',') : text;
}

/** What was typed as a device to be checked by its schema. `errors` has a sentence for each field that is wrong. */
export function readDevice(
  kind: DeviceKind,
  id: string,
  values: Values,
  ui: Pick<Ui, 't' | 'format'>,
): { device: Record<string, unknown>; errors: FormState['errors'] } {
  const errors: Record<string, string> = {};
  const read = (one: NumberField) => readNumber(one, values, errors, ui);
  const numbers = (fields: readonly NumberField[]) => Object.fromEntries(fields.map((one) => [one.key, read(one)]));
  const text = (name: string) => values[name]?.trim() ?? '';
  const needed = (name: string) => {
    if (text(name) === '') errors[name] = ui.t('setup.fault_needed');
    return text(name);
  };
  const ticked = (name: string) => values[name] === 'yes';
  const device: Record<string, unknown> = { kind, id, name: needed('name'), ...numbers(NUMBER_FIELDS[kind]) };
  if (kind === 'battery') {
    Object.assign(device, { charge_from_grid: ticked('charge_from_grid'), soc_meter: needed('soc_meter') });
    device.discharge_to_grid = ticked('discharge_to_grid');
    if (Number(device.reserve_percent) > Number(device.max_percent))
      errors.reserve_percent = ui.t('plan.fault.reserve');
  } else device.meter = text('meter') || null;
  if (kind === 'vehicle') {
    Object.assign(device, { soc_meter: text('soc_meter') || null, stays: readRows('vehicle', values, errors, ui) });
  } else if (kind === 'load') device.windows = readRows('load', values, errors, ui);
  if (kind === 'heat-pump' || kind === 'load') device.running = readRunning(numbers(RUNNING_FIELDS));
  const subject = SECTION_14A_KINDS.find((one) => one === values.section_14a);
  device.section_14a = subject ? { kind: subject, power_W: read(SECTION_14A_FIELD) } : null;
  device.control = readControl();
  return { device, errors };

  function readControl(): Record<string, unknown> {
    const { way } = values;
    if (way !== 'mqtt' && way !== 'modbus') return { way: 'none' };
    const common = { way, writing: ticked('writing'), device: needed(`${way}_device`), safe_W: read(SAFE_FIELD) };
    if (way === 'mqtt') return common;
    const W_per_unit = read(UNIT_FIELD);
    if (W_per_unit === 0) errors.W_per_unit = ui.t('plan.fault.zero');
    const type = REGISTER_TYPES.find((one) => one === values.type) ?? 'int16';
    return { ...common, register: read(REGISTER_FIELD), type, W_per_unit };
  }
}

/** What was typed, with comma or point, times `factor`; a fault is a sentence with the bounds. null: empty or wrong. */
export function readNumber(
  { name, factor, least, most, optional }: Pick<NumberField, 'name' | 'factor' | 'least' | 'most' | 'optional'>,
  values: Values,
  errors: Record<string, string>,
  { t, format }: Pick<Ui, 't' | 'format'>,
): number | null {
  const text = values[name]?.trim().replace(',', '.') ?? '';
  if (text === '') {
    if (!optional) errors[name] = t('setup.fault_needed');
    return null;
  }
  const short = (bound: number) => new Intl.NumberFormat(format.locale, { maximumFractionDigits: 3 }).format(bound);
  const value = Number(text);
  if (!Number.isFinite(value)) errors[name] = t('setup.fault_number');
  else if (value < least || value > most)
    errors[name] = t('plan.fault.range', { least: short(least), most: short(most) });
  if (errors[name]) return null;
  return Math.round(value * factor * 1e9) / 1e9;
}

function readRunning({ min_on_min, min_off_min, max_starts }: Record<string, number | null>) {
  if (min_on_min === null && min_off_min === null && max_starts === null) return null;
  return { min_on_min: min_on_min ?? 0, min_off_min: min_off_min ?? 0, max_starts };
}

/** Rows with a day; a row without one is left out. */
function readRows(
  kind: 'vehicle' | 'load',
  values: Values,
  errors: Record<string, string>,
  ui: Pick<Ui, 't' | 'format'>,
): Record<string, unknown>[] {
  const { prefix, from, to, number, least, most } = ROW_FIELDS[kind];
  const rows: Record<string, unknown>[] = [];
  for (let i = 0; i < rowCount(values); i++) {
    const name = (part: string) => `${prefix}_${i}_${part}`;
    const weekdays = DAYS.filter((day) => values[name(`d${day}`)] === 'yes');
    if (weekdays.length === 0) continue;
    for (const part of [from, to])
      if (!TIME.test(values[name(part)] ?? '')) errors[name(part)] = ui.t('plan.fault.time');
    const amount = readNumber({ name: name(number), factor: 1, least, most }, values, errors, ui);
    rows.push({ weekdays, [from]: values[name(from)] ?? '', [to]: values[name(to)] ?? '', [number]: amount });
  }
  if (rows.length === 0) errors[`${prefix}_0_days`] = ui.t('plan.fault.no_day');
  return rows;
}

/** Rows that the form shows. */
export function rowCount(values: Values): number {
  const asked = Number(values.rows);
  return Number.isInteger(asked) ? Math.min(MOST_ROWS, Math.max(1, asked)) : 1;
}

/** What stands in the form of a new device. */
export function newDeviceValues(kind: DeviceKind, ui: Pick<Ui, 'language'>): Record<string, string> {
  const values: Record<string, string> = { way: 'none', rows: '1', charge_from_grid: 'yes', type: 'int16' };
  const fields = [...NUMBER_FIELDS[kind], SAFE_FIELD, UNIT_FIELD];
  for (const { name, start } of fields) values[name] = ui.language === 'de' ? start.replace('.', ',') : start;
  if (kind === 'vehicle') {
    for (const day of [1, 2, 3, 4, 5]) values[`stay_0_d${day}`] = 'yes';
    Object.assign(values, { stay_0_arrive: '17:30', stay_0_depart: '07:30', stay_0_goal_percent: '80' });
  } else if (kind === 'load') {
    for (const day of DAYS) values[`window_0_d${day}`] = 'yes';
    Object.assign(values, { window_0_from: '22:00', window_0_to: '06:00' });
  }
  return values;
}

/** An id of its own for a new device, from its name. */
export function deviceId(name: string, kind: DeviceKind, taken: readonly string[]): string {
  const plain = name
    .toLowerCase()
    .replace(/[äöüß]/g, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter] ?? '')
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 36);
  const base = plain || kind;
  let [id, n] = [base, 1];
  while (taken.includes(id)) id = `${base}-${++n}`;
  return id;
}
