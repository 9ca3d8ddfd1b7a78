/** What a repair would change: readings, energy and cost before and after, computed without storing anything. */
import { overlayRepairs } from '../../../connectors/series/overlay.ts';
import { quantityInfo, slotQuantity } from '../../../engine/model/quantity.ts';
import { addDays, dayStart, HOUR_MS, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { ReadingColumns, SlotColumns } from '../../../engine/ports.ts';
import { HISTORY_MS, historyEnd, learnHistory } from '../../../engine/quality/history.ts';
import {
  planRepair,
  type RepairChoice,
  type RepairedValue,
  RepairFault,
  sharesOf,
} from '../../../engine/quality/repair.ts';
import { CONTEXT_MS, computeSlots, energyFromPower } from '../../../engine/quality/slots.ts';
import type { RepairDeps } from '../repairs.ts';

/** Instants that one repair may change. */
export const MOST_VALUES = 20_000;
const MOST_READINGS = 400_000;
const LONGEST_MS = 366 * 24 * HOUR_MS;
/** Days before and after the span that tell how an energy is spread. */
const LIKE_MS = 28 * 24 * HOUR_MS;
const NEAR = 1e-6;
const ENERGY = ['import_kWh', 'export_kWh', 'import_interval_kWh', 'export_interval_kWh'];

export type RepairAsked = { meter: string; quantity: string; from_ms: number; to_ms: number; choice: RepairChoice };
/** Sums over the span, and over the local days that it touches. */
export type RepairSums = { span: number | null; days: number | null; cost: number | null; days_cost: number | null };
export type RepairEffect = {
  unit: string;
  changed: readonly { at_ms: number; before: number | null; after: number | null }[];
  /** Slots of the local days: power in W, everything else per quarter hour. */
  slots: { unit: string; at_ms: Float64Array; before: Float64Array; after: Float64Array };
  /** null where the quantity is no energy or another one of the meter decides about it. */
  sums: { unit: string; currency: string | null; before: RepairSums; after: RepairSums } | null;
  /** What a person should know. */
  notes: readonly ('register_decides' | 'rest_follows')[];
};
export type Planned = { values: RepairedValue[]; readings: ReadingColumns; effect: RepairEffect };

/** @throws InvalidDataError where the choice makes no sense or the span is too large. */
export async function planEffect(deps: RepairDeps, tenant: string, asked: RepairAsked): Promise<Planned> {
  const { meter, quantity, from_ms, to_ms, choice } = asked;
  if (to_ms - from_ms > LONGEST_MS)
    throw new RepairFault('too_long', 'This span is longer than a year.', 'Repair it in shorter pieces.');
  const tz = deps.site.get(tenant)?.time_zone ?? 'UTC';
  await checkCount(deps, tenant, asked);
  const days = { from_ms: dayStart(from_ms, tz), to_ms: addDays(dayStart(Math.max(from_ms, to_ms - 1), tz), 1, tz) };
  const window = { meter, quantity, from_ms: days.from_ms - CONTEXT_MS, to_ms: days.to_ms + CONTEXT_MS };
  const readings = await deps.series.readings.read(tenant, window, { edges: true });
  if (readings.at_ms.length > MOST_READINGS) throw tooMany(readings.at_ms.length);
  const shares = choice.kind === 'energy' ? await sharesFor(deps, tenant, asked, tz) : new Map<number, number>();
  const values = planRepair({ quantity, readings, from_ms, to_ms, shares }, choice);
  if (values.length > MOST_VALUES) throw tooMany(values.length);
  const after = overlayRepairs(
    readings,
    values.map(({ at_ms, value }) => ({ at_ms, value: value ?? Number.NaN })),
  );
  const slotsOf = await slotMaker(deps, tenant, asked, days, readings.at_ms[0]);
  const effect = await effectOf(deps, tenant, asked, days, values, readings, [slotsOf(readings), slotsOf(after)]);
  return { values, readings, effect };
}

/** So that a year of readings each second is refused before it is read. */
async function checkCount({ series }: RepairDeps, tenant: string, { meter, quantity, from_ms, to_ms }: RepairAsked) {
  const range = { meter, quantity, from_ms, to_ms: to_ms + 1 };
  const { at_ms } = await series.readings.read(tenant, range, { limit: MOST_VALUES + 1 });
  if (at_ms.length > MOST_VALUES) throw tooMany(null, (at_ms.at(-1)! - at_ms[0]!) / HOUR_MS);
}

function tooMany(count: number | null, hours?: number): RepairFault {
  const about = hours === undefined ? '' : ` Here that is about ${Math.max(1, Math.floor(hours))} h.`;
  return new RepairFault(
    'too_many',
    `This span holds ${count ?? `more than ${MOST_VALUES}`} readings; one repair changes at most ${MOST_VALUES}.`,
    `Choose a shorter span.${about}`,
  );
}

async function sharesFor({ series }: RepairDeps, tenant: string, asked: RepairAsked, tz: string) {
  const { meter, quantity, from_ms, to_ms } = asked;
  const range = { meter, quantity: slotQuantity(quantity), from_ms: from_ms - LIKE_MS, to_ms: to_ms + LIKE_MS };
  return sharesOf(await series.slots.read(tenant, range), from_ms, to_ms, tz);
}

/** Computes slots as the drain does. */
async function slotMaker(
  { series, meters, ratingOf }: RepairDeps,
  tenant: string,
  { meter, quantity }: RepairAsked,
  days: { from_ms: number; to_ms: number },
  first_ms: number | undefined,
): Promise<(readings: ReadingColumns) => SlotColumns> {
  const [from_ms, to_ms] = [slotStart(days.from_ms), slotStart(days.to_ms + SLOT_MS - 1)];
  const end_ms = historyEnd(first_ms ?? from_ms, from_ms - CONTEXT_MS);
  const past = { meter, quantity: slotQuantity(quantity), from_ms: end_ms - HISTORY_MS, to_ms: end_ms };
  const isGauge = quantityInfo(quantity)?.kind === 'gauge';
  const known = isGauge ? {} : learnHistory(await series.slots.read(tenant, past));
  const point = meters.get(tenant, meter);
  const rated = point ? (ratingOf?.(point) ?? {}) : {};
  return ({ at_ms, values, quality, from_ms: starts_ms }) => {
    const { slots, spans } = computeSlots({
      ...{ quantity, at_ms, values, quality, starts_ms, from_ms, to_ms },
      ...{ ...known, ...rated },
    });
    return dense(slots, spans, from_ms, to_ms);
  };
}

/** A value for each slot; the energy of a gap counts where the gap ends, as in sums. */
function dense(
  slots: SlotColumns,
  spans: readonly { to_ms: number; value: number }[],
  from_ms: number,
  to_ms: number,
): SlotColumns {
  const count = (to_ms - from_ms) / SLOT_MS;
  const at_ms = Float64Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS);
  const values = new Float64Array(count).fill(Number.NaN);
  const quality = new Int32Array(count);
  for (const [i, at] of slots.at_ms.entries()) {
    values[(at - from_ms) / SLOT_MS] = slots.values[i]!;
    quality[(at - from_ms) / SLOT_MS] = slots.quality[i]!;
  }
  for (const { to_ms: end, value } of spans) {
    const place = (slotStart(end - 1) - from_ms) / SLOT_MS;
    if (place >= 0 && place < count) values[place] = (Number.isNaN(values[place]!) ? 0 : values[place]!) + value;
  }
  return { at_ms, values, quality };
}

async function effectOf(
  deps: RepairDeps,
  tenant: string,
  asked: RepairAsked,
  days: { from_ms: number; to_ms: number },
  values: readonly RepairedValue[],
  readings: ReadingColumns,
  [before, after]: readonly [SlotColumns, SlotColumns],
): Promise<RepairEffect> {
  const info = quantityInfo(asked.quantity)!;
  const shown = new Map(Array.from(readings.at_ms, (at, i) => [at, readings.values[i]!]));
  const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  const slots = { unit: info.unit, at_ms: before.at_ms, before: before.values, after: after.values };
  const changed = values.map(({ at_ms, value }) => ({ at_ms, before: known(shown.get(at_ms)), after: value }));
  const energy = await energyMaker(deps, tenant, asked);
  const notes: RepairEffect['notes'][number][] = [];
  if (energy === 'other') notes.push('register_decides');
  if (typeof energy !== 'function') return { unit: info.unit, changed, slots, sums: null, notes };
  const [was, becomes] = [energy(before), energy(after)];
  const gives = ['generation', 'battery'].includes(deps.meters.get(tenant, asked.meter)?.role ?? 'load');
  const isMoney = slotQuantity(asked.quantity) === 'import_kWh' || (asked.quantity === 'power_W' && !gives);
  const prices = isMoney ? await pricesOf(deps, tenant, days) : null;
  const sums = {
    unit: asked.quantity === 'power_W' ? 'kWh' : info.unit,
    currency: prices?.currency ?? null,
    before: sumsOf(was, asked, prices?.at ?? null),
    after: sumsOf(becomes, asked, prices?.at ?? null),
  };
  if (asked.choice.kind === 'energy') checkEnergy(asked.choice.energy, sums.after.span, sums.unit);
  const rest = (one: RepairSums) => (one.days ?? 0) - (one.span ?? 0);
  if (Math.abs(rest(sums.after) - rest(sums.before)) > NEAR * Math.max(1, Math.abs(rest(sums.before))))
    notes.push('rest_follows');
  return { unit: info.unit, changed, slots, sums, notes };
}

/** The energy of slots of this quantity; `other` where a register of the same meter decides, null for what is no energy. */
async function energyMaker(
  { series }: RepairDeps,
  tenant: string,
  { meter, quantity }: RepairAsked,
): Promise<((slots: SlotColumns) => SlotColumns) | 'other' | null> {
  const names = (await series.list(tenant)).filter((one) => one.meter === meter).map((one) => one.quantity);
  const { kind } = quantityInfo(quantity)!;
  if (kind === 'interval') return names.includes(slotQuantity(quantity)) ? 'other' : (slots) => slots;
  if (kind === 'register') return (slots) => slots;
  if (quantity !== 'power_W') return null;
  if (names.some((name) => ENERGY.includes(name))) return 'other';
  // What flows back is energy with the other sign.
  return (slots) => {
    const [taken, given] = [energyFromPower(slots, 'import'), energyFromPower(slots, 'export')];
    return { ...taken, values: taken.values.map((value, i) => value - given.values[i]!) };
  };
}

/** Money for the energy at the site's price, per kWh and slot; null where the price source does not answer. */
async function pricesOf({ sitePrices }: RepairDeps, tenant: string, days: { from_ms: number; to_ms: number }) {
  const found = await sitePrices(tenant, days.from_ms, days.to_ms).catch(() => null);
  if (!found) return null;
  return {
    currency: found.currency,
    at: new Map(Array.from(found.columns.at_ms, (at, i) => [at, found.columns.values[i]!])),
  };
}

function sumsOf(slots: SlotColumns, { from_ms, to_ms }: RepairAsked, prices: Map<number, number> | null): RepairSums {
  const sums: RepairSums = { span: null, days: null, cost: null, days_cost: null };
  for (const [i, at] of slots.at_ms.entries()) {
    const value = slots.values[i]!;
    if (Number.isNaN(value)) continue;
    const touches = at < Math.max(to_ms, from_ms + 1) && at + SLOT_MS > from_ms;
    const price = prices?.get(at);
    sums.days = (sums.days ?? 0) + value;
    if (touches) sums.span = (sums.span ?? 0) + value;
    if (price === undefined || Number.isNaN(price)) continue;
    sums.days_cost = (sums.days_cost ?? 0) + value * price;
    if (touches) sums.cost = (sums.cost ?? 0) + value * price;
  }
  return sums;
}

function checkEnergy(asked: number, achieved: number | null, unit: string): void {
  if (achieved !== null && Math.abs(achieved - asked) <= NEAR * Math.max(1, Math.abs(asked))) return;
  throw new RepairFault(
    'other_sum',
    `With the readings before and after the span it would count ${Math.round((achieved ?? 0) * 1000) / 1000} ${unit}, not ${asked} ${unit}.`,
    'Let the span reach to the next good reading, or repair the reading after it first.',
  );
}
