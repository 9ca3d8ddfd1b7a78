/** What a meter point can measure. A quantity's name ends in its unit. */
export type QuantityKind =
  /** An instantaneous value; a slot holds its time-weighted mean. */
  | 'gauge'
  /** A cumulative register that only grows (until reset or rollover); a slot holds its increase. */
  | 'register'
  /** Energy or volume between `from_ms` and `at_ms`; a slot holds its share. */
  | 'interval';

export type QuantityInfo = {
  kind: QuantityKind;
  unit: string;
  /** Values outside are kept and flagged OUT_OF_RANGE, never summed. */
  min: number;
  max: number;
};

const gauge = (unit: string, min: number, max: number): QuantityInfo => ({ kind: 'gauge', unit, min, max });
const register = (unit: string): QuantityInfo => ({ kind: 'register', unit, min: 0, max: 1e12 });
const interval = (unit: string): QuantityInfo => ({ kind: 'interval', unit, min: 0, max: 1e9 });

const PHASES = ['l1', 'l2', 'l3'] as const;
const perPhase = (stem: string, suffix: string, info: QuantityInfo): Record<string, QuantityInfo> =>
  Object.fromEntries(PHASES.map((phase) => [`${stem}_${phase}_${suffix}`, info]));

const POWER = gauge('W', -1e9, 1e9);

/** Every quantity the product knows; anything else is refused at the boundary with this list in the message. */
export const QUANTITIES: Readonly<Record<string, QuantityInfo>> = {
  power_W: POWER,
  ...perPhase('power', 'W', POWER),
  reactive_power_var: gauge('var', -1e9, 1e9),
  apparent_power_VA: gauge('VA', 0, 1e9),
  power_factor_ratio: gauge('ratio', -1, 1),
  voltage_V: gauge('V', 0, 1e6),
  ...perPhase('voltage', 'V', gauge('V', 0, 1e6)),
  current_A: gauge('A', -1e6, 1e6),
  ...perPhase('current', 'A', gauge('A', -1e6, 1e6)),
  frequency_Hz: gauge('Hz', 0, 500),
  soc_percent: gauge('%', 0, 100),
  temperature_C: gauge('°C', -100, 2000),
  humidity_percent: gauge('%', 0, 100),
  irradiance_W_m2: gauge('W/m²', 0, 2000),
  import_kWh: register('kWh'),
  export_kWh: register('kWh'),
  reactive_import_kvarh: register('kvarh'),
  reactive_export_kvarh: register('kvarh'),
  gas_m3: register('m³'),
  heat_kWh: register('kWh'),
  water_m3: register('m³'),
  import_interval_kWh: interval('kWh'),
  export_interval_kWh: interval('kWh'),
  gas_interval_m3: interval('m³'),
  heat_interval_kWh: interval('kWh'),
  water_interval_m3: interval('m³'),
};

/** @returns what is known of `name`, or undefined where it is no quantity of ours. */
export function quantityInfo(name: string): QuantityInfo | undefined {
  return Object.hasOwn(QUANTITIES, name) ? QUANTITIES[name] : undefined;
}

/** The register a per-interval quantity adds up to: `import_interval_kWh` → `import_kWh`. */
export function registerOf(interval: string): string {
  return interval.replace('_interval_', '_');
}

/** The quantity under which slots of `name` are stored: intervals join their register's slots. */
export function slotQuantity(name: string): string {
  return registerOf(name);
}
