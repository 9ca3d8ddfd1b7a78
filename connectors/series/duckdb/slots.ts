/** Slots and spans. A slot is stored by its number since 1970 (`at / 15 min`). */
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { SeriesRange, Span, TotalsQuery } from '../../../engine/ports.ts';
import { idsSql, periodSql } from '../periods.ts';
import type { RegisteredSeries } from '../registry.ts';
import { type DrainedSlots, type SlotReplacement, type TotalsColumns, totalsRows } from '../store.ts';
import { addSpans, emptyTotals } from '../totals.ts';
import type { Writer } from './connection.ts';
import { type DuckDbContext, writeSeries } from './context.ts';
import { bounds } from './read.ts';

export function createSlots(context: DuckDbContext): DrainedSlots {
  const { db, registry } = context;
  const replaceMany = (replacements: readonly SlotReplacement[]) =>
    writeSeries(context, async (writer, numberOf) => {
      const numbered: Numbered[] = [];
      for (const one of replacements) {
        const { meter, quantity } = one.range;
        numbered.push({ ...one, series: await numberOf({ tenant: one.tenant, meter, quantity }, false) });
      }
      await replaceSlots(writer, numbered);
      await replaceSpans(writer, numbered);
    });
  const totalsColumns = (tenant: string, query: TotalsQuery) => {
    const wanted = query.meters === null ? null : new Set(query.meters);
    const series = registry
      .of(tenant)
      .filter((one) => one.quantity === query.quantity && (wanted === null || wanted.has(one.meter)))
      .sort((a, b) => (a.meter < b.meter ? -1 : 1));
    return totalsOf(context, series, query);
  };
  return {
    replace: (tenant, range, slots, spans) => replaceMany([{ tenant, range, slots, spans }]),
    replaceMany,
    async read(tenant, range) {
      const series = registry.find(tenant, range.meter, range.quantity);
      if (series === undefined)
        return { at_ms: new Float64Array(0), values: new Float64Array(0), quality: new Int32Array(0) };
      const [at, values, quality] = await db.numbers(
        'select "at", value, quality from slot where series = $series and "at" >= $from and "at" < $to order by "at"',
        { series, from: slotAfter(range.from_ms), to: slotAfter(range.to_ms) },
      );
      for (let index = 0; index < at!.length; index++) at![index]! *= SLOT_MS;
      return { at_ms: at!, values: values!, quality: Int32Array.from(quality!) };
    },
    async spans(tenant, range) {
      const series = registry.find(tenant, range.meter, range.quantity);
      if (series === undefined) return [];
      return readSpans(context, series, range);
    },
    async totals(tenant, query) {
      return totalsRows(await totalsColumns(tenant, query), query.bounds_ms.length - 1);
    },
    totalsColumns,
  };
}

type Numbered = SlotReplacement & { series: number };

/** The number of the first slot that starts at or after `at_ms`, within 32 bits. */
function slotAfter(at_ms: number): number {
  return Math.ceil(Math.max(-2e9, Math.min(2e9, at_ms / SLOT_MS)));
}

async function replaceSlots(writer: Writer, replacements: readonly Numbered[]): Promise<void> {
  const from = replacements.map(({ range }) => slotAfter(range.from_ms));
  const to = replacements.map(({ range }) => slotAfter(range.to_ms));
  await deleteRanges(
    writer,
    replacements,
    from,
    to,
    'slot',
    'd."at" >= r.from_at and d."at" < r.to_at',
    '"at" >= $low and "at" < $high',
  );
  const total = replacements.reduce((sum, one) => sum + one.slots.at_ms.length, 0);
  const series = new Int32Array(total);
  const at = new Int32Array(total);
  const values = new Float64Array(total);
  const quality = new Int32Array(total);
  let row = 0;
  for (const one of replacements) {
    const end = row + one.slots.at_ms.length;
    series.fill(one.series, row, end);
    for (const [index, at_ms] of one.slots.at_ms.entries()) at[row + index] = Math.round(at_ms / SLOT_MS);
    values.set(one.slots.values, row);
    quality.set(one.slots.quality, row);
    row = end;
  }
  await writer.append('slot', [
    { type: 'integer', values: series },
    { type: 'integer', values: at },
    { type: 'double', values },
    { type: 'integer', values: quality },
  ]);
}

/** Deletes the rows of each series in its range; `inAll` lets whole blocks outside all ranges be passed over. */
async function deleteRanges(
  writer: Writer,
  replacements: readonly Numbered[],
  from: readonly number[],
  to: readonly number[],
  table: 'slot' | 'span',
  inRange: string,
  inAll: string,
): Promise<void> {
  await writer.run('create temp table if not exists replaced (series integer, from_at bigint, to_at bigint)');
  await writer.run('delete from replaced');
  await writer.append('replaced', [
    { type: 'integer', values: replacements.map((one) => one.series) },
    { type: 'bigint', values: from },
    { type: 'bigint', values: to },
  ]);
  await writer.run(
    `delete from ${table} where ${inAll} and rowid in (select d.rowid from ${table} d join replaced r on r.series = d.series and ${inRange} where ${inAll.replace(/(?<column>"at"|to_ms)/g, 'd.$<column>')})`,
    { low: BigInt(Math.min(...from)), high: BigInt(Math.max(...to)) },
  );
}

/** A span belongs to the range that its end lies in: from < end ≤ to. */
async function replaceSpans(writer: Writer, replacements: readonly Numbered[]): Promise<void> {
  const from = replacements.map(({ range }) => Math.ceil(range.from_ms));
  const to = replacements.map(({ range }) => Math.ceil(range.to_ms));
  await deleteRanges(
    writer,
    replacements,
    from,
    to,
    'span',
    'd.to_ms > r.from_at and d.to_ms <= r.to_at',
    'to_ms > $low and to_ms <= $high',
  );
  const spans = replacements.flatMap((one) => one.spans.map((span) => ({ series: one.series, ...span })));
  await writer.append('span', [
    { type: 'integer', values: spans.map((span) => span.series) },
    { type: 'bigint', values: spans.map((span) => Math.round(span.from_ms)) },
    { type: 'bigint', values: spans.map((span) => Math.round(span.to_ms)) },
    { type: 'double', values: spans.map((span) => span.value) },
    { type: 'integer', values: spans.map((span) => span.quality) },
  ]);
}

async function readSpans({ db }: DuckDbContext, series: number, range: SeriesRange): Promise<Span[]> {
  const [from, to, value, quality] = await db.numbers(
    'select from_ms::double, to_ms::double, value, quality from span where series = $series and from_ms < $to and to_ms > $from order by from_ms',
    bounds(series, range),
  );
  return [...from!].map((from_ms, index) => ({
    from_ms,
    to_ms: to![index]!,
    value: value![index]!,
    quality: quality![index]!,
  }));
}

async function totalsOf(
  { db }: DuckDbContext,
  series: readonly RegisteredSeries[],
  { bounds_ms, aggregate }: TotalsQuery,
): Promise<TotalsColumns> {
  const totals = emptyTotals(
    series.map((one) => one.meter),
    bounds_ms.length - 1,
  );
  if (series.length === 0 || bounds_ms.length < 2) return totals;
  const edges = bounds_ms.map(slotAfter);
  const rows = new Map(series.map((one, index) => [one.id, index]));
  const ids = idsSql([...rows.keys()], 'series');
  const [[id, period, value, quality, slots], spans] = await Promise.all([
    db.numbers(
      `select series, ${periodSql(edges, '"at"', '//')} as period, ${aggregate === 'mean' ? 'avg' : 'sum'}(value), bit_or(quality), count(value) ` +
        `from slot where "at" >= $from and "at" < $to and ${ids} group by all`,
      { from: edges[0]!, to: edges.at(-1)! },
    ),
    aggregate === 'mean' ? [] : spansEnding(db, bounds_ms, ids, rows),
  ]);
  const periods = bounds_ms.length - 1;
  for (let index = 0; index < id!.length; index++) {
    const cell = rows.get(id![index]!)! * periods + period![index]!;
    totals.values[cell] = value![index]!;
    totals.quality[cell] = quality![index]!;
    totals.slots[cell] = slots![index]!;
  }
  addSpans(totals, bounds_ms, spans);
  return totals;
}

async function spansEnding(
  db: DuckDbContext['db'],
  bounds_ms: readonly number[],
  ids: string,
  rows: ReadonlyMap<number, number>,
) {
  const [id, to, value, quality] = await db.numbers(
    `select series, to_ms::double, value, quality from span where to_ms > $from and to_ms <= $to and ${ids}`,
    { from: BigInt(Math.floor(bounds_ms[0]!)), to: BigInt(Math.ceil(bounds_ms.at(-1)!)) },
  );
  return [...id!].map((one, index) => ({
    row: rows.get(one)!,
    to_ms: to![index]!,
    value: value![index]!,
    quality: quality![index]!,
  }));
}
