/**
 * The least power that a grid operator must leave to controllable devices when it reduces them under §14a EnWG.
 * Source: Bundesnetzagentur, ruling BK6-22-300 of 27 November 2023, annex 1 ("Festlegung zur Integration von
 * steuerbaren Verbrauchseinrichtungen"), section 4.5.2 (direct control of one device: 4.2 kW, or 0.4 × the connected
 * power of heat pumps and cooling above 11 kW) and 4.5.3 (control through an energy management system:
 * P_min,14a = max(0.4 × P_sum heat pumps, 0.4 × P_sum cooling) + (n − 1) × GZF × 4.2 kW where there are such large
 * ones, else 4.2 kW + (n − 1) × GZF × 4.2 kW). The figures of GZF were checked against this list only: the
 * ruling's text was not at hand when this was written.
 */

/** Least power of one device. */
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

/** Heat pumps of a site count together, and so do its cooling devices: what is added up above 11 kW is large. */
function largeShare_W(devices: readonly ControllableDevice[], kind: ControllableDevice['kind']): number {
  const sum = devices.filter((device) => device.kind === kind).reduce((total, { power_W }) => total + power_W, 0);
  return sum > LARGE_W ? LARGE_SHARE * sum : 0;
}

/** @returns the power in W that the devices together may always draw; 0 where there is none. */
export function guaranteedMinimum_W(devices: readonly ControllableDevice[]): number {
  const n = devices.length;
  if (n === 0) return 0;
  const first_W = Math.max(LEAST_W, largeShare_W(devices, 'heat-pump'), largeShare_W(devices, 'cooling'));
  return first_W + (n - 1) * simultaneity(n) * LEAST_W;
}

/** A signal asks for a limit; what is obeyed is never below the guaranteed minimum. */
export function obeyedLimit_W(asked_W: number, devices: readonly ControllableDevice[]): number {
  return Math.max(asked_W, guaranteedMinimum_W(devices));
}
