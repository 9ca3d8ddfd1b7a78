/** What the energy taken from the grid cost. */
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns, Span } from '../../../engine/ports.ts';
import { type DataDeps, slotColumns } from '../data.ts';
import { topLevel } from './balance.ts';
import { denseSlots } from './grid.ts';

export type Cost = { currency: string; amount: number | null; import_kWh: number | null; missing_slots: number };

/**
 * Import of the grid meters times the site's price, slot by slot, VAT included. The energy of a long gap is known as a
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
  return { currency: site.currency, ...sum(slots, prices, ended) };
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
