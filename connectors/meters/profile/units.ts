import { quantityInfo } from '../../../engine/model/quantity.ts';

type Dimension =
  | 'power'
  | 'reactive power'
  | 'apparent power'
  | 'energy'
  | 'reactive energy'
  | 'voltage'
  | 'current'
  | 'frequency'
  | 'share'
  | 'temperature'
  | 'volume'
  | 'irradiance';

/** What devices count in, once for all profiles: the dimension and the factor to the dimension's base unit. */
const UNITS: Readonly<Record<string, { of: Dimension; factor: number }>> = {
  W: { of: 'power', factor: 1 },
  kW: { of: 'power', factor: 1000 },
  MW: { of: 'power', factor: 1e6 },
  var: { of: 'reactive power', factor: 1 },
  kvar: { of: 'reactive power', factor: 1000 },
  VA: { of: 'apparent power', factor: 1 },
  kVA: { of: 'apparent power', factor: 1000 },
  Wmin: { of: 'energy', factor: 1 / 60 },
  Wh: { of: 'energy', factor: 1 },
  kWh: { of: 'energy', factor: 1000 },
  MWh: { of: 'energy', factor: 1e6 },
  MJ: { of: 'energy', factor: 1e6 / 3600 },
  GJ: { of: 'energy', factor: 1e9 / 3600 },
  varh: { of: 'reactive energy', factor: 1 },
  kvarh: { of: 'reactive energy', factor: 1000 },
  mV: { of: 'voltage', factor: 0.001 },
  V: { of: 'voltage', factor: 1 },
  kV: { of: 'voltage', factor: 1000 },
  mA: { of: 'current', factor: 0.001 },
  A: { of: 'current', factor: 1 },
  mHz: { of: 'frequency', factor: 0.001 },
  Hz: { of: 'frequency', factor: 1 },
  ratio: { of: 'share', factor: 100 },
  '%': { of: 'share', factor: 1 },
  '°C': { of: 'temperature', factor: 1 },
  l: { of: 'volume', factor: 0.001 },
  'm³': { of: 'volume', factor: 1 },
  'W/m²': { of: 'irradiance', factor: 1 },
};

export const UNIT_NAMES = Object.keys(UNITS) as [string, ...string[]];

/**
 * @returns the factor from `unit` to the unit of `quantity` (`kW` for power_W gives 1000), or the reason why the
 * one cannot become the other.
 */
export function unitFactor(unit: string, quantity: string): number | string {
  const info = quantityInfo(quantity);
  if (!info) return `${quantity} is no quantity of ours`;
  const from = UNITS[unit];
  const to = UNITS[info.unit];
  if (!from || !to) return `${unit} is no unit we know; known are ${UNIT_NAMES.join(', ')}`;
  if (from.of !== to.of) return `${unit} measures ${from.of}, but ${quantity} is ${to.of}`;
  return from.factor / to.factor;
}

/** @returns the factor from one unit of a telegram to another (`W` to `kW` gives 0.001), or why there is none. */
export function unitRatio(from: string, to: string): number | string {
  const [source, target] = [UNITS[from], UNITS[to]];
  if (!source || !target || source.of !== target.of) return `it comes in ${from}, not in ${to}`;
  return source.factor / target.factor;
}

/** Multiplies so that decimals stay decimal: 2589773.39 Wh is 2589.77339 kWh, not 2589.7733900000003. */
export function scaled(raw: number, factor: number): number {
  return factor === 1 ? raw : Number((raw * factor).toPrecision(15));
}
