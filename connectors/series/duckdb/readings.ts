/** Raw readings, their change log, repairs, the journal's cursor and the marks of slots to compute again. */
import { listValue } from '@duckdb/node-api';
import type { JournalledGroup } from '../../../engine/model/reading.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { AppendOutcome, TouchedSeries } from '../../../engine/ports.ts';
import { type AppliedCounts, countDead, countStored, parseCounts } from '../counts.ts';
import { emptyReadings } from '../edges.ts';
import { batchBySeries, type MergedSeries, mergeSeries, type SeriesBatch, type StoredReading } from '../merge.ts';
import { keepRepairs } from '../overlay.ts';
import type { DirtyMarks, DrainedReadings } from '../store.ts';
import type { Writer } from './connection.ts';
import { type DuckDbContext, writeSeries } from './context.ts';
import { bounds, readMany, readSeries } from './read.ts';

type Mark = { series: number; from_ms: number; to_ms: number };
type NumberedBatch = { series: number; batch: SeriesBatch; merged: MergedSeries };

export function createReadings(
  context: DuckDbContext,
): DrainedReadings & { dirty: DirtyMarks; rewind(seq: number): Promise<void> } {
  const { db, registry, tails, heads } = context;
  const cursor = async () => (await db.numbers('select seq::double from journal_cursor'))[0]![0]!;
  const counts = async () => parseCounts((await db.rows('select counts from journal_cursor'))[0]?.counts);
  return {
    cursor,
    doubled: async () => (await db.numbers('select greatest(0, applied - seq)::double from journal_cursor'))[0]![0]!,
    counts,
    skip: (group) =>
      db.write(async (writer) => {
        const from = (await writer.numbers('select seq::double from journal_cursor'))[0]![0]!;
        if (group.seq > from) await advance(writer, group.seq, group.seq - from, countDead(await counts(), group));
      }),
    async append(groups) {
      const outcome = await writeSeries(context, async (writer, numberOf, added) => {
        const from = (await writer.numbers('select seq::double from journal_cursor'))[0]![0]!;
        const fresh = groups.filter((group) => group.seq > from);
        const last = fresh.at(-1);
        if (!last) return emptyOutcome(groups.length);
        const batches: NumberedBatch[] = [];
        for (const batch of batchBySeries(fresh))
          batches.push({ series: await numberOf(batch, true), batch, merged: none() });
        for (const { id } of added) {
          tails.set(id, Number.NEGATIVE_INFINITY);
          heads.set(id, Number.POSITIVE_INFINITY);
        }
        await loadTails(writer, tails, batches);
        const existing = await findExisting(writer, tails, batches);
        for (const one of batches) one.merged = mergeSeries(one.batch.readings, existing.get(one.series) ?? new Map());
        const marks = newMarks(context, batches);
        await store(writer, batches, marks);
        const after = countStored(
          await counts(),
          fresh,
          batches.map((one) => one.merged),
        );
        await advance(writer, last.seq, fresh.length + missing(fresh, from), after);
        return { ...outcomeOf(fresh.length, groups.length - fresh.length, batches), marks };
      });
      for (const { series, ...range } of outcome.marks) context.marked.set(series, range);
      for (const { series, batch } of outcome.batches) {
        tails.set(series, Math.max(tails.get(series) ?? Number.NEGATIVE_INFINITY, batch.max_ms));
        const head = heads.get(series);
        if (head !== undefined) heads.set(series, Math.min(head, batch.min_ms));
      }
      return outcome.outcome;
    },
    async read(tenant, range, options = {}) {
      const series = registry.find(tenant, range.meter, range.quantity);
      if (series === undefined) return emptyReadings(range.quantity);
      return readSeries(context, series, range, options);
    },
    readMany: (series, from_ms, to_ms) => readMany(context, series, from_ms, to_ms),
    async changes(tenant, range) {
      const series = registry.find(tenant, range.meter, range.quantity);
      if (series === undefined) return [];
      const [at, value, replaced_by, changed] = await db.numbers(
        'select "at"::double, value, replaced_by, changed_ms::double from reading_change where series = $series ' +
          'and "at" >= $from and "at" < $to order by "at", rowid',
        bounds(series, range),
      );
      return [...at!].map((at_ms, index) => ({
        at_ms,
        value: value![index]!,
        replaced_by: replaced_by![index]!,
        changed_ms: changed![index]!,
      }));
    },
    async repair(tenant, repairs) {
      const kept = new Map<number, { at_ms: number; value: number | null | undefined }[]>();
      await writeSeries(context, async (writer, numberOf) => {
        const rows: RepairedRow[] = [];
        for (const { meter, quantity, at_ms, value, by } of repairs) {
          const series = await numberOf({ tenant, meter, quantity }, true);
          rows.push({ series, at_ms: Math.round(at_ms), value, by });
        }
        await storeRepairs(writer, rows);
        for (const row of rows) {
          const list = kept.get(row.series);
          if (list) list.push(row);
          else kept.set(row.series, [row]);
        }
      });
      for (const [series, rows] of kept) keepRepairs(context.repairs, series, rows);
    },
    dirty: createDirty(context),
    async rewind(seq) {
      await db.write((writer) =>
        writer.run('update journal_cursor set seq = $seq, applied = $seq', { seq: BigInt(seq) }),
      );
    },
  };
}

/** Moves the cursor, with the numbers that must agree with it. */
function advance(writer: Writer, seq: number, applied: number, counts: AppliedCounts): Promise<void> {
  return writer.run('update journal_cursor set seq = $seq, applied = applied + $applied, counts = $counts', {
    ...{ seq: BigInt(seq), applied: BigInt(applied), counts: JSON.stringify(counts) },
  });
}

type RepairedRow = { series: number; at_ms: number; value: number | null | undefined; by: string };

/** In a few statements however many there are; of several for one instant the last counts. */
async function storeRepairs(writer: Writer, repairs: readonly RepairedRow[]): Promise<void> {
  const rows = [...new Map(repairs.map((row) => [`${row.series} ${row.at_ms}`, row])).values()];
  const keys = (list: readonly RepairedRow[]) =>
    [
      { type: 'integer', values: list.map((row) => row.series) },
      { type: 'bigint', values: list.map((row) => row.at_ms) },
    ] as const;
  await writer.run('create temp table if not exists repaired (series integer, "at" bigint, value double, who integer)');
  await writer.run('delete from repaired');
  const people = [...new Set(rows.map((row) => row.by))];
  await writer.append('repaired', [
    ...keys(rows),
    // NaN becomes null; 1 lifts, 2 + n is who set it
    { type: 'double', values: rows.map((row) => row.value ?? Number.NaN) },
    { type: 'integer', values: rows.map((row) => (row.value === undefined ? 1 : 2 + people.indexOf(row.by))) },
  ]);
  await writer.run('delete from repair using repaired n where repair.series = n.series and repair."at" = n."at"');
  for (const [index, by] of people.entries())
    await writer.run('insert into repair select series, "at", value, $by from repaired where who = $who', {
      by,
      who: index + 2,
    });
  await writer.run('insert into dirty select series, "at", "at" from repaired');
}

/** Sequence numbers between the cursor and the last group that the journal does not have (any more). */
function missing(groups: readonly JournalledGroup[], cursor: number): number {
  let gaps = 0;
  let last = cursor;
  for (const { seq } of groups) {
    gaps += Math.max(0, seq - last - 1);
    last = Math.max(last, seq);
  }
  return gaps;
}

function createDirty({ db, registry, marked }: DuckDbContext): DirtyMarks {
  return {
    async list() {
      const [series, from, to] = await db.numbers(
        'select series, min(from_ms)::double, max(to_ms)::double from dirty group by series order by series',
      );
      const touched: TouchedSeries[] = [];
      for (const [index, id] of series!.entries()) {
        const key = registry.byId(id);
        if (!key) continue;
        const { tenant, meter, quantity } = key;
        touched.push({ tenant, meter, quantity, from_ms: from![index]!, to_ms: to![index]! });
      }
      return touched;
    },
    async done(touched) {
      const ids = touched.flatMap(({ tenant, meter, quantity }) => registry.find(tenant, meter, quantity) ?? []);
      if (ids.length === 0) return;
      await db.write((writer) =>
        writer.run('delete from dirty where series in (select unnest($ids))', { ids: listValue(ids) }),
      );
      for (const id of ids) marked.delete(id);
    },
  };
}

const none = (): MergedSeries => ({
  ...{ inserts: [], updates: [], changes: [], known_seqs: [], from_ms: Infinity, to_ms: -Infinity },
});

function emptyOutcome(ignored: number): { outcome: AppendOutcome; batches: NumberedBatch[]; marks: Mark[] } {
  return { outcome: { applied: 0, ignored, stored: 0, changed: 0, touched: [] }, batches: [], marks: [] };
}

/** Learns the tails that are not known yet with one question that looks at the batch's time and after only. */
async function loadTails(writer: Writer, tails: Map<number, number>, batches: readonly NumberedBatch[]): Promise<void> {
  const unknown = batches.filter((one) => !tails.has(one.series));
  if (unknown.length === 0) return;
  const from = Math.min(...unknown.map((one) => one.batch.min_ms));
  const [series, at] = await writer.numbers(
    'select series, max("at")::double from reading where "at" >= $from and series in (select unnest($ids)) group by series',
    { from: BigInt(from), ids: listValue(unknown.map((one) => one.series)) },
  );
  for (const one of unknown) tails.set(one.series, from - 1);
  for (const [index, id] of series!.entries()) tails.set(id, at![index]!);
}

/** What is stored at the instants of the batch, for series with readings that are not after all they have. */
async function findExisting(
  writer: Writer,
  tails: Map<number, number>,
  batches: readonly NumberedBatch[],
): Promise<Map<number, Map<number, StoredReading>>> {
  const found = new Map<number, Map<number, StoredReading>>();
  const late = batches.filter((one) => one.batch.min_ms <= tails.get(one.series)!);
  if (late.length === 0) return found;
  const keys = late.flatMap(({ series, batch }) => {
    const tail = tails.get(series)!;
    const instants = new Set<number>();
    for (const { at_ms } of batch.readings) if (at_ms <= tail) instants.add(at_ms);
    return [...instants].map((at) => ({ series, at }));
  });
  await writer.run('create temp table if not exists late (series integer, "at" bigint)');
  await writer.run('delete from late');
  await writer.append('late', [
    { type: 'integer', values: keys.map((key) => key.series) },
    { type: 'bigint', values: keys.map((key) => key.at) },
  ]);
  const [series, at, value, quality, start] = await writer.numbers(
    'select r.series, r."at"::double, r.value, r.quality, r.from_ms::double from reading r ' +
      'join late l on l.series = r.series and l."at" = r."at" where r."at" >= $from and r."at" <= $to',
    range(keys.map((key) => key.at)),
  );
  for (const [index, id] of series!.entries()) {
    const from_ms = start![index]!;
    const instants = found.get(id) ?? new Map<number, StoredReading>();
    const stored = {
      value: value![index]!,
      quality: quality![index]!,
      from_ms: Number.isNaN(from_ms) ? null : from_ms,
    };
    found.set(id, instants.set(at![index]!, stored));
  }
  return found;
}

function range(instants: readonly number[]): { from: bigint; to: bigint } {
  let low = Infinity;
  let high = -Infinity;
  for (const at of instants) {
    if (at < low) low = at;
    if (at > high) high = at;
  }
  return { from: BigInt(low), to: BigInt(high) };
}

/** Marks in whole slots, wide enough to cover what is touched; those that are in the table already are left out. */
function newMarks({ marked }: DuckDbContext, batches: readonly NumberedBatch[]): Mark[] {
  return batches.flatMap(({ series, merged }) => {
    if (merged.from_ms > merged.to_ms) return [];
    const before = marked.get(series) ?? { from_ms: Infinity, to_ms: -Infinity };
    if (before.from_ms <= merged.from_ms && before.to_ms >= merged.to_ms) return [];
    const from_ms = Math.min(before.from_ms, slotStart(merged.from_ms));
    return { series, from_ms, to_ms: Math.max(before.to_ms, slotStart(merged.to_ms) + SLOT_MS - 1) };
  });
}

async function store(writer: Writer, batches: readonly NumberedBatch[], marks: readonly Mark[]): Promise<void> {
  await writer.append('reading', rowColumns(batches, 'inserts'));
  const updated = rowColumns(batches, 'updates');
  if (updated[0]!.values.length > 0) await update(writer, updated);
  const changes = batches.flatMap(({ series, merged }) => merged.changes.map((change) => ({ series, ...change })));
  await writer.append('reading_change', [
    { type: 'integer', values: changes.map((change) => change.series) },
    { type: 'bigint', values: changes.map((change) => change.at_ms) },
    { type: 'double', values: changes.map((change) => change.value) },
    { type: 'double', values: changes.map((change) => change.replaced_by) },
    { type: 'bigint', values: changes.map((change) => change.changed_ms) },
  ]);
  await writer.append('dirty', [
    { type: 'integer', values: marks.map((mark) => mark.series) },
    { type: 'bigint', values: marks.map((mark) => mark.from_ms) },
    { type: 'bigint', values: marks.map((mark) => mark.to_ms) },
  ]);
}

async function update(writer: Writer, columns: ReturnType<typeof rowColumns>): Promise<void> {
  await writer.run(
    'create temp table if not exists newer (series integer, "at" bigint, value double, quality integer, from_ms bigint)',
  );
  await writer.run('delete from newer');
  await writer.append('newer', columns);
  await writer.run(
    'update reading set value = n.value, quality = n.quality, from_ms = n.from_ms from newer n ' +
      'where reading.series = n.series and reading."at" = n."at" and reading."at" >= $from and reading."at" <= $to',
    range([...(columns[1]!.values as number[])]),
  );
}

function rowColumns(batches: readonly NumberedBatch[], kind: 'inserts' | 'updates') {
  const series: number[] = [];
  const at: number[] = [];
  const value: number[] = [];
  const quality: number[] = [];
  const from: number[] = [];
  for (const one of batches)
    for (const row of one.merged[kind]) {
      series.push(one.series);
      at.push(row.at_ms);
      value.push(row.value);
      quality.push(row.quality);
      from.push(row.from_ms ?? Number.NaN);
    }
  return [
    { type: 'integer', values: series },
    { type: 'bigint', values: at },
    { type: 'double', values: value },
    { type: 'integer', values: quality },
    { type: 'bigint', values: from },
  ] as const;
}

function outcomeOf(applied: number, ignored: number, batches: NumberedBatch[]) {
  const outcome = { applied, ignored, stored: 0, changed: 0, touched: [] as TouchedSeries[] };
  for (const { batch, merged } of batches) {
    outcome.changed += merged.changes.length;
    outcome.stored += merged.inserts.length + merged.changes.length;
    if (merged.from_ms > merged.to_ms) continue;
    const { tenant, meter, quantity } = batch;
    outcome.touched.push({ tenant, meter, quantity, from_ms: merged.from_ms, to_ms: merged.to_ms });
  }
  return { outcome, batches };
}
