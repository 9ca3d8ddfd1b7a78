/** What the energy taken from the grid cost. */
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns, Span } from '../../../engine/ports.ts';
import { type DataDeps, slotColumns } from '../data.ts';
import { topLevel } from './balance.ts';
import { denseSlots } from './grid.ts';

export type Cost = { currency: string; amount: number | null; import_kWh: number | null; missing_slots: number };

/**
 * Import of the grid meters times the site's price, less what was fed in times its price, slot by slot, VAT included.
 * Standing charges and power are in the bill of the month. The energy of a long gap is known as a
 * sum only: it is valued at the mean price of its time, and counts where the gap ends inside the range. `amount` and
 * `import_kWh` are null where nothing is known; `missing_slots` counts slots without import or without price.
 */
export async function costOf(deps: DataDeps, tenant: string, from_ms: number, to_ms: number): Promise<Cost> {
  const grid = topLevel(deps.meters.list(tenant)).filter((point) => point.role === 'grid');
  const slots = denseSlots(null, from_ms, to_ms);
  slots.values.fill(grid.length === 0 ? Number.NaN : 0);
  const spans: Span[] = [];
  for (const point of grid) {
    const part = await slotColumns(deps, tenant, point, 'import_kWh', from_ms, to_ms);
    for (let index = 0; index < slots.values.length; index++) slots.values[index]! += part.values[index]!;
    if (!point.virtual)
      spans.push(
        ...(await deps.series.slots.spans(tenant, { meter: point.id, quantity: 'import_kWh', from_ms, to_ms })),
      );
  }
  const ended = spans.filter((span) => span.to_ms > from_ms && span.to_ms <= to_ms);
  const earliest = Math.min(from_ms, ...ended.map((span) => span.from_ms));
  const site = await deps.sitePrices(tenant, earliest, to_ms);
  const prices = denseSlots(site.columns, earliest, to_ms);
  const bought = { currency: site.currency, ...sum(slots, prices, ended) };
  if (!site.feed_in || bought.amount === null) return bought;
  const sold = await feedInOf(deps, tenant, grid, site.feed_in, from_ms, to_ms);
  return { ...bought, amount: bought.amount - sold.amount, missing_slots: bought.missing_slots + sold.missing_slots };
}

/** What was fed in earned; nothing where no grid meter measures it. */
async function feedInOf(
  deps: DataDeps,
  tenant: string,
  grid: readonly MeterPoint[],
  prices: Columns,
  from_ms: number,
  to_ms: number,
): Promise<{ amount: number; missing_slots: number }> {
  const per_kWh = denseSlots(prices, from_ms, to_ms);
  const sold = { amount: 0, missing_slots: 0 };
  for (const point of grid) {
    const { values } = await slotColumns(deps, tenant, point, 'export_kWh', from_ms, to_ms);
    if (values.every(Number.isNaN)) continue;
    for (let index = 0; index < values.length; index++) {
      const price = per_kWh.values[index]!;
      if (values[index] === 0 || price === 0) continue;
      if (Number.isNaN(values[index]!) || Number.isNaN(price)) sold.missing_slots++;
      else sold.amount += values[index]! * price;
    }
  }
  return sold;
}

function sum(slots: Columns, prices: Columns, spans: readonly Span[]): Omit<Cost, 'currency'> {
  const offset = prices.values.length - slots.values.length;
  let amount: number | null = null;
  let import_kWh: number | null = null;
  let missing_slots = 0;
  for (let index = 0; index < slots.values.length; index++) {
    const energy = slots.values[index]!;
    const price = prices.values[index + offset]!;
    const inSpan = spans.some((span) => overlaps(span, slots.at_ms[index]!));
    if (!Number.isNaN(energy)) import_kWh = (import_kWh ?? 0) + energy;
    if (!Number.isNaN(energy) && !Number.isNaN(price)) amount = (amount ?? 0) + energy * price;
    else if (!inSpan || !Number.isNaN(energy)) missing_slots++;
  }
  for (const span of spans) {
    import_kWh = (import_kWh ?? 0) + span.value;
    const price = meanPrice(prices, span);
    if (price === null) missing_slots += Math.ceil((span.to_ms - span.from_ms) / SLOT_MS);
    else amount = (amount ?? 0) + span.value * price;
  }
  return { amount, import_kWh, missing_slots };
}

const overlaps = (span: Span, at_ms: number) => at_ms < span.to_ms && at_ms + SLOT_MS > span.from_ms;

/** Mean price over the slots of a span; null where one of them has none. */
function meanPrice(prices: Columns, span: Span): number | null {
  let total = 0;
  let count = 0;
  for (let index = 0; index < prices.at_ms.length; index++)
    if (overlaps(span, prices.at_ms[index]!)) {
      total += prices.values[index]!;
      count++;
    }
  return count === 0 || Number.isNaN(total) ? null : total / count;
}
