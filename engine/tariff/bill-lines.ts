/** The lines of a bill for energy, for what was fed in, and for what is due whatever was taken. */
import { SLOT_MS } from '../model/time.ts';
import type { BillPart, SiteEnergy } from './bill.ts';
import { type DraftLine, known, rowsOf } from './line.ts';
import { createPricer, type Priced, type Pricer, type TariffContext } from './prices.ts';
import { daysBetween, daysOfMonth, daysOfYear } from './shares.ts';
import { type EnergyCharge, metersOf, type Price, type StandingCharge, type Tariff } from './tariff.ts';

/** One line for each energy charge, or for each of its periods that came about. */
export function energyLines(part: BillPart): DraftLine[] {
  const energyOf = chargedEnergy(part.tariff, part.energy);
  return part.tariff.energy.flatMap((charge) => {
    const pricing = (pricer: Pricer) => pricer.price(charge.price, charge.vat_percent);
    return linesOfEnergy(part, energyOf(charge), pricing, { kind: 'energy', charge, sign: 1 });
  });
}

/** Credits; none where nothing measures what is fed in. */
export function feedInLines(part: BillPart): DraftLine[] {
  const { export_kWh } = part.energy;
  if (export_kWh === null) return [];
  return part.tariff.feed_in.flatMap((charge) =>
    linesOfEnergy(part, export_kWh, (pricer) => pricer.feedIn(charge), { kind: 'feed_in', charge, sign: -1 }),
  );
}

/** Grams of CO2 behind the import of each slot. */
export function co2Grams(tariff: Tariff, energy: SiteEnergy, context: TariffContext): Float64Array {
  const pricer = createPricer(tariff, { at_ms: energy.at_ms, slot_ms: SLOT_MS }, context);
  const { net } = pricer.price(tariff.co2_g_per_kWh!, 0);
  return energy.import_kWh.map((kWh, i) => (kWh === 0 ? 0 : kWh * net[i]!));
}

/**
 * What a charge is due for. A meter point that is charged apart took from the grid at most what the grid gave in that
 * slot (the rest was the site's own generation); several share it in the tariff's order.
 */
function chargedEnergy(tariff: Tariff, energy: SiteEnergy): (charge: EnergyCharge) => Float64Array {
  const left = energy.import_kWh.slice();
  const taken: Record<string, Float64Array> = {};
  for (const meter of metersOf(tariff)) {
    const values = energy.meters[meter];
    taken[meter] = left.map((rest, i) => Math.min(rest, Math.max(0, values?.[i] ?? Number.NaN)));
    for (let i = 0; i < left.length; i++) left[i]! -= taken[meter]![i]!;
  }
  return ({ meter, without }) => {
    if (meter !== null) return taken[meter]!;
    return energy.import_kWh.map((kWh, i) => without.reduce((rest, id) => rest - taken[id]![i]!, kWh));
  };
}

type LineOf = { kind: 'energy' | 'feed_in'; charge: { name: string; vat_percent: number; price: Price }; sign: 1 | -1 };

/** Periods stand on the bill as in the tariff. */
function orderOf(price: Price): (period: string | null) => number {
  if (price.kind !== 'periods') return () => 0;
  return (name) => price.periods.findIndex((period) => period.name === name);
}

function linesOfEnergy(
  { tariff, energy, context, unpriced }: BillPart,
  kWh: Float64Array,
  pricing: (pricer: Pricer) => Priced,
  { kind, charge, sign }: LineOf,
): DraftLine[] {
  const { name, vat_percent, price } = charge;
  const needed = Array.from(kWh.keys()).filter((i) => !Number.isNaN(kWh[i]!) && kWh[i] !== 0);
  const at_ms = Float64Array.from(needed, (i) => energy.at_ms[i]!);
  const pricer = createPricer(tariff, { at_ms, slot_ms: SLOT_MS }, context);
  const { net, period } = pricing(pricer);
  for (const hole of pricer.missing()) if (!unpriced.some((one) => sameHole(one, hole))) unpriced.push(hole);
  const groups = new Map<string | null, number[]>();
  for (let k = 0; k < needed.length; k++) {
    const group = groups.get(period(k)) ?? [];
    group.push(k);
    groups.set(period(k), group);
  }
  if (groups.size === 0) {
    const quantity = known(kWh);
    const empty = {
      quantity,
      unit_price: null,
      exact: quantity === null && kWh.length > 0 ? null : 0,
      rows: rowsOf([], []),
    };
    return [{ kind, name, period: null, unit: 'kWh', vat_percent, ...empty }];
  }
  const order = orderOf(price);
  return [...groups]
    .sort(([a], [b]) => order(a) - order(b))
    .map(([group, places]) => {
      const rows = rowsOf(
        places.map((k) => [at_ms[k]!, at_ms[k]! + SLOT_MS]),
        places.map((k) => [kWh[needed[k]!]!, sign * net[k]!]),
      );
      const exact = rows.amount.reduce((sum, value) => sum + value, 0);
      const prices = new Set(rows.price);
      return {
        ...{ kind, name, period: group, unit: 'kWh', vat_percent, rows },
        quantity: rows.quantity.reduce((sum, value) => sum + value, 0),
        unit_price: prices.size === 1 && !Number.isNaN(exact) ? rows.price[0]! : null,
        exact: Number.isNaN(exact) ? null : exact,
      };
    });
}

function sameHole(a: { what: string; from_ms: number; to_ms: number }, b: typeof a): boolean {
  return a.what === b.what && a.from_ms === b.from_ms && a.to_ms === b.to_ms;
}

/** Standing charges by days: a day that has begun counts whole. */
export function standingLines(part: BillPart): DraftLine[] {
  const { tariff, from_ms, until_ms } = part;
  const days = daysBetween(from_ms, until_ms, tariff.time_zone);
  if (days === 0) return [];
  return tariff.standing.map((charge) => {
    const share = standingShare(charge, part);
    return {
      ...{ kind: 'standing', name: charge.name, period: null, unit: 'days', vat_percent: charge.vat_percent },
      ...{ quantity: days, unit_price: (charge.amount * share) / days, exact: charge.amount * share },
      rows: rowsOf([[from_ms, until_ms]], [[days, (charge.amount * share) / days]]),
    };
  });
}

function standingShare({ per }: StandingCharge, { tariff, from_ms, until_ms }: BillPart): number {
  const { time_zone } = tariff;
  const days = daysBetween(from_ms, until_ms, time_zone);
  if (per === 'day') return days;
  return per === 'month' ? daysOfMonth(from_ms, until_ms, time_zone) : daysOfYear(from_ms, until_ms, time_zone);
}
