/** What a form asks of a device of the plan: its numbers, in the units that people use, and the rest of its fields. */
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import type { TextKey } from '../i18n/text.ts';

export const DEVICE_KINDS = ['battery', 'vehicle', 'heat-pump', 'load'] as const;
export type DeviceKind = PlanDevice['kind'];

type Label = Extract<TextKey, `plan.form.${string}`>;
export type NumberField = {
  /** Of the form; the property of the device is `key`, and its value the typed one times `factor`. */
  name: string;
  key: string;
  factor: number;
  /** As typed. */
  least: number;
  most: number;
  /** In a new form. */
  start: string;
  label: Label;
  hint?: Label;
  /** Empty is allowed and means null. */
  optional?: true;
  /** Behind "more": what most people leave as it is. */
  rare?: true;
};

const field = (
  name: string,
  [key, factor]: readonly [key: string, factor: number],
  [least, most]: readonly [least: number, most: number],
  start: string,
  label: Label,
  more: Pick<NumberField, 'hint' | 'optional' | 'rare'> = {},
): NumberField => ({ name, key, factor, least, most, start, label, ...more });

const POWER = [0.001, 100_000] as const;
const SPARE_POWER = [0, 1000] as const;
const ENERGY = [0.001, 10_000_000] as const;
const PERCENT = [0, 100] as const;
const EFFICIENCY = [21, 100] as const;
const MINUTES = [0, 1440] as const;

const capacity = (label: Label) => field('capacity_kWh', ['capacity_kWh', 1], ENERGY, '', label);
const charging = [
  field(
    'charge_efficiency_percent',
    ['charge_efficiency', 0.01],
    EFFICIENCY,
    '95',
    'plan.form.charge_efficiency_percent',
    { rare: true },
  ),
  field(
    'discharge_efficiency_percent',
    ['discharge_efficiency', 0.01],
    EFFICIENCY,
    '95',
    'plan.form.discharge_efficiency_percent',
    { rare: true },
  ),
  field('degradation_per_kWh', ['degradation_per_kWh', 1], [0, 100], '0', 'plan.form.degradation_per_kWh', {
    hint: 'plan.form.degradation_hint',
    rare: true,
  }),
];

export const NUMBER_FIELDS: Readonly<Record<DeviceKind, readonly NumberField[]>> = {
  battery: [
    capacity('plan.form.capacity_battery'),
    field('charge_kW', ['charge_W', 1000], POWER, '', 'plan.form.charge_kW'),
    field('discharge_kW', ['discharge_W', 1000], POWER, '', 'plan.form.discharge_kW'),
    field('reserve_percent', ['reserve_percent', 1], PERCENT, '10', 'plan.form.reserve_percent', {
      hint: 'plan.form.reserve_hint',
    }),
    field('max_percent', ['max_percent', 1], PERCENT, '100', 'plan.form.max_percent', { rare: true }),
    ...charging,
  ],
  vehicle: [
    capacity('plan.form.capacity_vehicle'),
    field('charge_kW', ['charge_W', 1000], POWER, '11', 'plan.form.charge_kW'),
    field('arrival_percent', ['arrival_percent', 1], PERCENT, '40', 'plan.form.arrival_percent', {
      hint: 'plan.form.arrival_hint',
    }),
    field('min_charge_kW', ['min_charge_W', 1000], SPARE_POWER, '4.2', 'plan.form.min_charge_kW', {
      hint: 'plan.form.min_charge_hint',
      rare: true,
    }),
    field('discharge_kW', ['discharge_W', 1000], SPARE_POWER, '0', 'plan.form.discharge_vehicle_kW', { rare: true }),
    ...charging.map((one) => (one.factor === 0.01 ? { ...one, start: '90' } : one)),
  ],
  'heat-pump': [
    field('electric_kW', ['electric_W', 1000], POWER, '', 'plan.form.electric_kW'),
    field('min_kW', ['min_W', 1000], [0, 10_000], '0', 'plan.form.min_kW', { hint: 'plan.form.min_hint' }),
    field('store_kWh', ['store_kWh', 1], ENERGY, '', 'plan.form.store_kWh', { hint: 'plan.form.store_hint' }),
    field('heat_loss_W_per_K', ['heat_loss_W_per_K', 1], [0.001, 1_000_000], '', 'plan.form.heat_loss_W_per_K', {
      hint: 'plan.form.heat_loss_hint',
    }),
    field('heating_below_C', ['heating_below_C', 1], [0, 30], '16', 'plan.form.heating_below_C'),
    field('supply_C', ['supply_C', 1], [20, 80], '40', 'plan.form.supply_C'),
    field('store_min_kWh', ['store_min_kWh', 1], [0, 10_000_000], '0', 'plan.form.store_min_kWh', { rare: true }),
    field('start_percent', ['start_percent', 1], PERCENT, '50', 'plan.form.start_percent', { rare: true }),
    field('keep_percent', ['keep_per_hour', 0.01], [0.01, 100], '99', 'plan.form.keep_percent', { rare: true }),
    field('quality_percent', ['quality', 0.01], [20, 70], '45', 'plan.form.quality_percent', {
      hint: 'plan.form.quality_hint',
      rare: true,
    }),
  ],
  load: [
    field('power_kW', ['power_W', 1000], POWER, '', 'plan.form.power_kW'),
    field('min_kW', ['min_W', 1000], [0, 100_000], '', 'plan.form.min_load_kW', {
      hint: 'plan.form.min_load_hint',
      optional: true,
      rare: true,
    }),
  ],
};

/** How long it must run and rest, and how often it may start: heat pumps and loads. All empty: it may do as it likes. */
export const RUNNING_FIELDS: readonly NumberField[] = [
  field('min_on_min', ['min_on_min', 1], MINUTES, '', 'plan.form.min_on_min', { optional: true }),
  field('min_off_min', ['min_off_min', 1], MINUTES, '', 'plan.form.min_off_min', { optional: true }),
  field('max_starts', ['max_starts', 1], [0, 1000], '', 'plan.form.max_starts', {
    hint: 'plan.form.max_starts_hint',
    optional: true,
  }),
];

export const SECTION_14A_FIELD = field('section_14a_kW', ['power_W', 1000], POWER, '', 'plan.form.section_14a_kW', {
  hint: 'plan.form.section_14a_hint',
});

export const SAFE_FIELD = field('safe_kW', ['safe_W', 1000], [-100_000, 100_000], '0', 'plan.form.safe_kW', {
  hint: 'plan.form.safe_hint',
});
export const REGISTER_FIELD = field('register', ['register', 1], [0, 65_535], '', 'plan.form.register', {
  hint: 'plan.form.register_hint',
});
export const UNIT_FIELD = field('W_per_unit', ['W_per_unit', 1], [-1_000_000, 1_000_000], '1', 'plan.form.W_per_unit', {
  hint: 'plan.form.W_per_unit_hint',
});

/** Times at the charger of a car, and windows of a load: a row each, with its days, two times and one number. */
export const ROW_FIELDS = {
  vehicle: { prefix: 'stay', from: 'arrive', to: 'depart', number: 'goal_percent', least: 0, most: 100 },
  load: { prefix: 'window', from: 'from', to: 'to', number: 'energy_kWh', least: 0.001, most: 10_000_000 },
} as const;
export const MOST_ROWS = 20;
export const SECTION_14A_KINDS = ['charger', 'battery', 'heat-pump', 'cooling'] as const;
export const REGISTER_TYPES = ['int16', 'uint16', 'int32'] as const;
