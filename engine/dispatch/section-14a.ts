/**
 * The least power that a grid operator must leave to controllable devices when it reduces them under §14a EnWG.
 *
 * Source: Bundesnetzagentur, ruling BK6-22-300 of 27 November 2023, annex 1 ("Regelungen zur Integration von steuerbaren
 * Verbrauchseinrichtungen"): sections 2.4.1 (charger, heat pump, cooling, battery, each above 4.2 kW), 2.4.2 (all heat
 * pumps behind a connection are one device of their summed power, and so are all cooling devices) and 4.5.2 (control
 * through an energy management system): P_min,14a = 4.2 kW + (n − 1) × GZF × 4.2 kW; where heat pumps or cooling have more than
 * 11 kW, max(0.4 × P heat pumps, 0.4 × P cooling) in place of the first 4.2 kW. n counts after 2.4.2. GZF and 0.4 are
 * what the ruling presumes adequate "bis zum Inkrafttreten einer anderweitigen Empfehlung".
 *
 * How it was checked: not on the agency's own page, which could not be reached, but on two independent works that quote
 * annex 1 with its section numbers and whose figures agree: the crate `metering` 0.25.0, src/grid/para14a.rs (docs.rs;
 * it quotes 2.4.1, 2.4.2, 4.5.1 and 4.5.2 word for word, with the table of the GZF), and DVhub's EEBUS manual, which
 * also cites the VDE FNN's note on the ruling of April 2025.
 */

/** Least power of one device; a device counts only above it. */
export const LEAST_W = 4200;
/** Heat pumps and cooling above this connected power count by their power instead. */
const LARGE_W = 11_000;
const LARGE_SHARE = 0.4;

/** One controllable device behind the grid connection. */
export type ControllableDevice = { kind: 'charger' | 'battery' | 'heat-pump' | 'cooling'; power_W: number };

/** Simultaneity factor (Gleichzeitigkeitsfaktor) for n devices: 0.80 for 2, by 0.05 less for each more, 0.45 from 9 on. */
export function simultaneity(devices: number): number {
  if (devices < 2) return 1;
  return Math.max(45, 80 - 5 * (devices - 2)) / 100;
}

const isGrouped = ({ kind }: ControllableDevice) => kind === 'heat-pump' || kind === 'cooling';

function sumOf_W(devices: readonly ControllableDevice[], kind: ControllableDevice['kind']): number {
  return devices.filter((device) => device.kind === kind).reduce((total, { power_W }) => total + power_W, 0);
}

/** @returns those that are subject to the ruling: alone above 4.2 kW, heat pumps and cooling by the sum of their kind. */
export function subjectTo14a<Device extends ControllableDevice>(devices: readonly Device[]): Device[] {
  return devices.filter((device) => (isGrouped(device) ? sumOf_W(devices, device.kind) : device.power_W) > LEAST_W);
}

/** @returns the power in W that the devices together may always draw; 0 where none is subject to the ruling. */
export function guaranteedMinimum_W(devices: readonly ControllableDevice[]): number {
  const subject = subjectTo14a(devices);
  const groups = new Set(subject.filter(isGrouped).map(({ kind }) => kind));
  const n = groups.size + subject.filter((device) => !isGrouped(device)).length;
  if (n === 0) return 0;
  const large_W = (kind: ControllableDevice['kind']) => {
    const sum = sumOf_W(subject, kind);
    return sum > LARGE_W ? LARGE_SHARE * sum : 0;
  };
  const first_W = Math.max(LEAST_W, large_W('heat-pump'), large_W('cooling'));
  return first_W + (n - 1) * simultaneity(n) * LEAST_W;
}
