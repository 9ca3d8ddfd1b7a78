/** When a profile counts as verified: a device or its maker has shown its main quantities. */
import type { CaseKind } from './catalogue.ts';
import { measurementsOf, type ProfileSpec } from './schema.ts';

/** The counter that matters most for what the first channel is. */
const COUNTERS: readonly string[] = ['import_kWh', 'export_kWh', 'gas_m3', 'heat_kWh', 'water_m3'];

/**
 * The main quantities of a profile: power of its first channel, and the counter that is billed there (generation:
 * `export_kWh`, otherwise import), where it measures them.
 */
export function mainQuantities(spec: ProfileSpec): { channel: string; quantity: string }[] {
  const [channel, info] = Object.entries(spec.channels)[0] ?? [];
  if (channel === undefined) return [];
  const measured = new Set(
    measurementsOf(spec)
      .filter((entry) => entry.channel === channel)
      .map(({ quantity }) => quantity),
  );
  const wanted = info?.role === 'generation' ? ['export_kWh', ...COUNTERS] : COUNTERS;
  const counter = wanted.find((quantity) => measured.has(quantity));
  return ['power_W', ...(counter ? [counter] : [])]
    .filter((quantity) => measured.has(quantity))
    .map((quantity) => ({ channel, quantity }));
}

/** @returns the main quantities that no recorded or documented case holds; a profile with none left is verified. */
export function unverifiedQuantities(
  spec: ProfileSpec,
  cases: readonly { kind: CaseKind; readings: readonly { channel: string; quantity: string }[] }[],
): string[] {
  const shown = cases.filter(({ kind }) => kind !== 'synthetic').flatMap(({ readings }) => readings);
  return mainQuantities(spec)
    .filter(({ channel, quantity }) => !shown.some((r) => r.channel === channel && r.quantity === quantity))
    .map(({ channel, quantity }) => (channel === 'main' ? quantity : `${channel} ${quantity}`));
}

/** Whether the badge "verified" may be shown. */
export function isVerified(spec: ProfileSpec, cases: Parameters<typeof unverifiedQuantities>[1]): boolean {
  return mainQuantities(spec).length > 0 && unverifiedQuantities(spec, cases).length === 0;
}
