/** Slots and spans in QuestDB. */
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Span, TotalsQuery } from '../../../engine/ports.ts';
import { idsSql, periodRuns, periodSql } from '../periods.ts';
import { type DrainedSlots, type SlotReplacement, type TotalsColumns, totalsRows } from '../store.ts';
import { addSpans, emptyTotals } from '../totals.ts';
import { FLUSH_ROWS, type Row } from './client.ts';
import { AT_MS, micros, numberSeries, type QuestDbContext, whole, within } from './context.ts';
import { GONE, tableName } from './schema.ts';

const SLOT = tableName('slot');
const SPAN = tableName('span');

export function createSlots(context: QuestDbContext): DrainedSlots {
  const { db, registry, serial, floors } = context;
  const replaceMany = (replacements: readonly SlotReplacement[]) =>
    serial(async () => {
      const keys = replacements.map(({ tenant, range: { meter, quantity } }) => ({ tenant, meter, quantity }));
      const ids = await numberSeries(context, keys, false);
      const slots: Row[] = [];
      const spans: Row[] = [];
      for (const [index, one] of replacements.entries()) {
        await addSlots(context, ids[index]!, one, slots);
        await addSpanRows(context, ids[index]!, one, spans);
      }
      // Computing again gives the same, so the rows need not go in one transaction.
      for (let row = 0; row < slots.length; row += FLUSH_ROWS) await db.write(SLOT, slots.slice(row, row + FLUSH_ROWS));
      await db.write(SPAN, spans);
    });
  const totalsColumns = (tenant: string, query: TotalsQuery) => totalsOf(context, tenant, query);
  return {
    replace: (tenant, range, slots, spans) => replaceMany([{ tenant, range, slots, spans }]),
    replaceMany,
    async read(tenant, { meter, quantity, from_ms, to_ms }) {
      const series = registry.find(tenant, meter, quantity);
      if (series === undefined)
        return { at_ms: new Float64Array(0), values: new Float64Array(0), quality: new Int32Array(0) };
      const [at, values, quality] = await db.numbers(
        [SLOT],
        `select ${AT_MS}, value, quality from ${SLOT} where series = ${whole(series)} and ${within(Math.max(from_ms, floors.slot), to_ms)} and quality <> ${GONE} order by at`,
      );
      return { at_ms: at!, values: values!, quality: Int32Array.from(quality!) };
    },
    async spans(tenant, { meter, quantity, from_ms, to_ms }) {
      const series = registry.find(tenant, meter, quantity);
      return series === undefined
        ? []
        : readSpans(context, series, `at > ${micros(Math.max(from_ms, floors.slot))} and from_ms < ${whole(to_ms)}`);
    },
    async totals(tenant, query) {
      return totalsRows(await totalsColumns(tenant, query), query.bounds_ms.length - 1);
    },
    totalsColumns,
  };
}

/** New rows, and marks over those in the range that are not among them. */
async function addSlots(
  { db }: QuestDbContext,
  series: number,
  { range, slots }: SlotReplacement,
  rows: Row[],
): Promise<void> {
  const [stored] = await db.numbers(
    [SLOT],
    `select ${AT_MS} from ${SLOT} where series = ${whole(series)} and ${within(range.from_ms, range.to_ms)} and quality <> ${GONE}`,
  );
  const kept = new Set(slots.at_ms);
  for (const at_ms of stored!) if (!kept.has(at_ms)) rows.push({ series, at_ms, quality: GONE });
  for (let index = 0; index < slots.at_ms.length; index++)
    rows.push({ series, at_ms: slots.at_ms[index]!, value: slots.values[index]!, quality: slots.quality[index]! });
}

async function addSpanRows(
  context: QuestDbContext,
  series: number,
  { range, spans }: SlotReplacement,
  rows: Row[],
): Promise<void> {
  const stored = await readSpans(context, series, `at > ${micros(range.from_ms)} and at <= ${micros(range.to_ms)}`);
  const kept = new Set(spans.map((span) => `${span.from_ms} ${span.to_ms}`));
  for (const { from_ms, to_ms } of stored)
    if (!kept.has(`${from_ms} ${to_ms}`)) rows.push({ series, at_ms: to_ms, from_ms, quality: GONE });
  for (const { from_ms, to_ms, value, quality } of spans)
    rows.push({ series, at_ms: Math.round(to_ms), from_ms: Math.round(from_ms), value, quality });
}

async function readSpans({ db }: QuestDbContext, series: number, where: string): Promise<Span[]> {
  const rows = await db.ask(
    [SPAN],
    `select from_ms, ${AT_MS}, value, quality from ${SPAN} where series = ${whole(series)} and quality <> ${GONE} and ${where} order by from_ms`,
  );
  return (rows as [number, number, number, number][]).map(([from_ms, to_ms, value, quality]) => ({
    from_ms,
    to_ms,
    value,
    quality,
  }));
}

async function totalsOf(
  { db, registry, floors }: QuestDbContext,
  tenant: string,
  { meters, quantity, bounds_ms, aggregate }: TotalsQuery,
): Promise<TotalsColumns> {
  const wanted = meters === null ? null : new Set(meters);
  const series = registry
    .of(tenant)
    .filter((one) => one.quantity === quantity && (wanted === null || wanted.has(one.meter)))
    .sort((a, b) => (a.meter < b.meter ? -1 : 1));
  const periods = bounds_ms.length - 1;
  const totals = emptyTotals(
    series.map((one) => one.meter),
    periods,
  );
  if (series.length === 0 || periods < 1) return totals;
  const rows = new Map(series.map((one, index) => [one.id, index]));
  const ids = idsSql([...rows.keys()], 'series');
  const kept = floors.slot > bounds_ms[0]!;
  const slotsOf = kept ? `${ids} and at >= ${micros(floors.slot)}` : ids;
  const spansOf = kept ? `${ids} and at > ${micros(floors.slot)}` : ids;
  const [[key, value, quality, count], spans] = await Promise.all([
    db.numbers([SLOT], totalsSql(bounds_ms, slotsOf, aggregate)),
    aggregate === 'mean' ? [] : spansEnding(db, bounds_ms, spansOf),
  ]);
  for (let index = 0; index < key!.length; index++) {
    const id = Math.floor(key![index]! / periods);
    const cell = rows.get(id)! * periods + (key![index]! - id * periods);
    totals.values[cell] = count![index]! > 0 ? value![index]! : Number.NaN;
    totals.quality[cell] = quality![index]!;
    totals.slots[cell] = count![index]!;
  }
  addSpans(
    totals,
    bounds_ms,
    spans.map(([id, to_ms, sum, flags]) => ({ row: rows.get(id)!, to_ms, value: sum, quality: flags })),
  );
  return totals;
}

/**
 * Sums or means by series × periods + period: QuestDB groups by one number in about half the time that two take, and a
 * question for each run of equal periods spares it to find the run row by row.
 */
export function totalsSql(bounds_ms: readonly number[], ids: string, aggregate: TotalsQuery['aggregate']): string {
  const periods = bounds_ms.length - 1;
  const edges = bounds_ms.map((bound) => Math.ceil(bound / SLOT_MS));
  const totals = `${aggregate === 'mean' ? 'avg' : 'sum'}(value), bit_or(quality), count(value)`;
  const select = (from: number, to: number, period: string) =>
    `select series * ${periods}L + ${period} as cell, ${totals} from ${SLOT} ` +
    `where ${within(from * SLOT_MS, to * SLOT_MS)} and ${ids} and quality <> ${GONE}`;
  const runs = periodRuns(edges);
  if (runs.length > MOST_RUNS)
    return select(edges[0]!, edges.at(-1)!, periodSql(edges, `(cast(at as long) / ${SLOT_MS}000)`, '/'));
  return runs
    .map(({ from, to, length, first }) =>
      select(from, to, `${first} + (cast(at as long) - ${micros(from * SLOT_MS)}) / ${micros(length * SLOT_MS)}`),
    )
    .join(' union all ');
}

/** The days of two years are nine runs. */
const MOST_RUNS = 16;

async function spansEnding(db: QuestDbContext['db'], bounds_ms: readonly number[], ids: string) {
  const found = await db.ask(
    [SPAN],
    `select series, ${AT_MS}, value, quality from ${SPAN} where at > ${micros(bounds_ms[0]!)} and at <= ${micros(bounds_ms.at(-1)!)} and ${ids} and quality <> ${GONE}`,
  );
  return found as [number, number, number, number][];
}
