/** Between the columns of a file as the form shows them and the mapping that the load takes. */
import { mappingProblems } from '../../../connectors/meters/csv/guess.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { FormState } from '../../../web/components/controls.ts';
import type { Ui } from '../../../web/ui.ts';
import type { LoadMapping, LoadPreview } from '../../services.ts';

const QUANTITY = 'q:';

/** What each column was guessed to be: '', `at`, `meter`, `from` or `q:<quantity>`. */
export function guessedRoles({ columns, mapping }: LoadPreview): string[] {
  const times = mapping.at.split(' + ');
  return columns.map((name) => {
    if (times.includes(name)) return 'at';
    if (name === mapping.meter) return 'meter';
    if (name === mapping.from) return 'from';
    const quantity = mapping.columns[name];
    return quantity === undefined ? '' : `${QUANTITY}${quantity}`;
  });
}

/** What was chosen for each column. */
export function rolesOf(count: number, values: Readonly<Record<string, string>>): string[] {
  return Array.from({ length: count }, (_, i) => values[`column_${i}`] ?? '');
}

/** The details of a guess as form values. */
export function formOf(mapping: LoadMapping, time_zone: string, meter_id: string): FormState {
  const values: Record<string, string> = { time_zone: mapping.time_zone ?? time_zone };
  if (mapping.meter === null) values.meter_id = mapping.meter_id ?? meter_id;
  if (mapping.decimal_comma) values.decimal_comma = 'yes';
  if (mapping.interval_min !== undefined) values.interval_min = String(mapping.interval_min);
  if (mapping.interval_stamp) values.interval_stamp = mapping.interval_stamp;
  return { values, errors: {} };
}

/** The mapping that was chosen; `mappingProblems` says what is missing. Two columns of time are date and time of day. */
export function mappingOf(columns: readonly string[], values: Readonly<Record<string, string>>): LoadMapping {
  const roles = rolesOf(columns.length, values);
  const named = (role: string) => columns.filter((_, i) => roles[i] === role);
  const meter = named('meter')[0] ?? null;
  const quantities = columns.flatMap((name, i) =>
    roles[i]?.startsWith(QUANTITY) ? [[name, roles[i].slice(QUANTITY.length)] as const] : [],
  );
  const mapping: LoadMapping = { at: named('at').join(' + '), meter, columns: Object.fromEntries(quantities) };
  const from = named('from')[0];
  const minutes = Number((values.interval_min ?? '').replace(',', '.'));
  if (meter === null && values.meter_id) mapping.meter_id = values.meter_id;
  if (values.time_zone) mapping.time_zone = values.time_zone;
  if (values.decimal_comma !== undefined) mapping.decimal_comma = true;
  if (from !== undefined) mapping.from = from;
  else if (Number.isFinite(minutes) && minutes > 0) mapping.interval_min = minutes;
  if (values.interval_stamp === 'start' || values.interval_stamp === 'end')
    mapping.interval_stamp = values.interval_stamp;
  if (values.create_meters !== undefined) mapping.create_meters = true;
  return mapping;
}

/** What keeps the mapping from being used, in the reader's language; units that do not fit come as they are. */
export function missingOf(mapping: LoadMapping, columns: readonly string[], { t }: Ui): string[] {
  const quantities = Object.values(mapping.columns);
  const intervals = quantities.some((name) => quantityInfo(name)?.kind === 'interval');
  const needs = [
    mapping.at === '' ? t('import.need_time') : '',
    mapping.meter === null && !mapping.meter_id ? t('import.need_meter') : '',
    quantities.length === 0 ? t('import.need_quantity') : '',
    intervals && mapping.from === undefined && !mapping.interval_min ? t('import.need_interval') : '',
  ].filter(Boolean);
  const others = mappingProblems(mapping, columns);
  return needs.length > 0 ? [...needs, ...others.filter((problem) => problem.startsWith('Column '))] : others;
}
