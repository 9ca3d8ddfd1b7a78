/** Prices over the versions of a tariff: what each slot costs under the version that holds in it. Pure. */
import { SLOT_MS } from '../model/time.ts';
import { priceSlots, type SlotPrices, type Slots, type TariffContext } from './prices.ts';
import type { TariffVersion } from './tariff.ts';
import { coveredParts } from './versions.ts';

/**
 * As `priceSlots`; slots before the first version are NaN and said to be missing.
 * @param slots ascending
 * @throws InvalidDataError where versions count in different currencies, or a market in another one
 */
export function priceVersions(versions: readonly TariffVersion[], slots: Slots, context: TariffContext): SlotPrices {
  const { at_ms, slot_ms = SLOT_MS } = slots;
  const count = at_ms.length;
  const filled = (value: number) => new Float64Array(count).fill(value);
  const meters: Record<string, Float64Array> = {};
  const all: SlotPrices = {
    ...{ at_ms, slot_ms, currency: '', missing: [], meter_per_kWh: meters },
    ...{ import_per_kWh: filled(Number.NaN), export_per_kWh: filled(Number.NaN), co2_g_per_kWh: filled(Number.NaN) },
    ...{ import_limit_W: filled(Infinity), export_limit_W: filled(Infinity) },
  };
  if (count === 0) return all;
  const parts = coveredParts(versions, at_ms[0]!, at_ms.at(-1)! + 1);
  const until_ms = parts[0]?.from_ms ?? Infinity;
  const uncovered = at_ms.filter((at) => at < until_ms);
  if (uncovered.length > 0)
    all.missing.push({
      ...{
        what: 'A tariff',
        asked: { kind: 'tariff' },
        from_ms: uncovered[0]!,
        to_ms: uncovered.at(-1)! + slot_ms,
        slots: uncovered.length,
      },
    });
  for (const { tariff, from_ms, to_ms } of parts) {
    const first = at_ms.findIndex((at) => at >= from_ms);
    const end = at_ms.findIndex((at) => at >= to_ms);
    const priced = priceSlots(tariff, { at_ms: at_ms.slice(first, end < 0 ? count : end), slot_ms }, context);
    all.currency = priced.currency;
    all.missing.push(...priced.missing);
    for (const key of COLUMNS) all[key].set(priced[key], first);
    for (const [meter, values] of Object.entries(priced.meter_per_kWh)) {
      meters[meter] ??= all.import_per_kWh.slice();
      meters[meter].set(values, first);
    }
    for (const [meter, values] of Object.entries(meters))
      if (!priced.meter_per_kWh[meter]) values.set(priced.import_per_kWh, first);
  }
  return all;
}

const COLUMNS = ['import_per_kWh', 'export_per_kWh', 'import_limit_W', 'export_limit_W', 'co2_g_per_kWh'] as const;
