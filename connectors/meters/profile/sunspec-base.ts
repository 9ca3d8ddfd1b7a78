/** What SunSpec inverters and meters measure, once for all profiles (`sunspec: { use: inverter }`). */

type BasePoint = { quantity: string; point: string; unit: string; models: number[] };

/** Three-phase models first; whole numbers with scale factors before floats. */
const INVERTER = [103, 102, 101, 113, 112, 111];
/** Newer inverters (IEEE 1547) may have this model only; values of the models above come first. */
const DER = [701];
const METER = [203, 204, 202, 201, 213, 214, 212, 211];

const points = (models: number[], entries: readonly (readonly [string, string, string])[]): BasePoint[] =>
  entries.map(([quantity, point, unit]) => ({ quantity, point, unit, models }));

const PHASES = [
  ['current_A', 'A', 'A'],
  ['current_l1_A', 'AphA', 'A'],
  ['current_l2_A', 'AphB', 'A'],
  ['current_l3_A', 'AphC', 'A'],
  ['voltage_l1_V', 'PhVphA', 'V'],
  ['voltage_l2_V', 'PhVphB', 'V'],
  ['voltage_l3_V', 'PhVphC', 'V'],
  ['frequency_Hz', 'Hz', 'Hz'],
  ['apparent_power_VA', 'VA', 'VA'],
  ['power_factor_ratio', 'PF', '%'],
] as const;

export const SUNSPEC_BASE = {
  none: [],
  /** Power + is production; the counter is what the inverter has given. */
  inverter: points(INVERTER, [
    ['power_W', 'W', 'W'],
    ['export_kWh', 'WH', 'Wh'],
    ['reactive_power_var', 'VAr', 'var'],
    ['temperature_C', 'TmpCab', '°C'],
    ...PHASES,
  ]).concat(
    points(DER, [
      ['power_W', 'W', 'W'],
      ['export_kWh', 'TotWhInj', 'Wh'],
      ['import_kWh', 'TotWhAbs', 'Wh'],
      ['reactive_power_var', 'Var', 'var'],
      ['apparent_power_VA', 'VA', 'VA'],
      ['power_factor_ratio', 'PF', 'ratio'],
      ['frequency_Hz', 'Hz', 'Hz'],
      ['temperature_C', 'TmpCab', '°C'],
      ['current_A', 'A', 'A'],
      ['power_l1_W', 'WL1', 'W'],
      ['power_l2_W', 'WL2', 'W'],
      ['power_l3_W', 'WL3', 'W'],
      ['current_l1_A', 'AL1', 'A'],
      ['current_l2_A', 'AL2', 'A'],
      ['current_l3_A', 'AL3', 'A'],
      ['voltage_l1_V', 'VL1', 'V'],
      ['voltage_l2_V', 'VL2', 'V'],
      ['voltage_l3_V', 'VL3', 'V'],
    ]),
  ),
  /** Power + is import. */
  meter: points(METER, [
    ['power_W', 'W', 'W'],
    ['power_l1_W', 'WphA', 'W'],
    ['power_l2_W', 'WphB', 'W'],
    ['power_l3_W', 'WphC', 'W'],
    ['import_kWh', 'TotWhImp', 'Wh'],
    ['export_kWh', 'TotWhExp', 'Wh'],
    ['reactive_power_var', 'VAR', 'var'],
    ...PHASES,
  ]),
} as const satisfies Record<string, readonly BasePoint[]>;
