/** Raw readings, their change log, repairs, the journal's cursor and the marks of slots to compute again. */
import type { AppendOutcome, TouchedSeries } from '../../../engine/ports.ts';
import { countDead, countStored } from '../counts.ts';
import { emptyReadings, isInterval, type ReadingSource, readingColumns, readRange } from '../edges.ts';
import { batchBySeries, type MergedSeries, mergeSeries, type SeriesBatch, type StoredReading } from '../merge.ts';
import { keepRepairs, overlayRepairs, splitSeries } from '../overlay.ts';
import type { DirtyMarks, DrainedReadings } from '../store.ts';
import { AT_MS, micros, numberSeries, type QuestDbContext, whole, within } from './context.ts';
import type { CountKeeper } from './counts.ts';
import { GONE, tableName } from './schema.ts';

type NumberedBatch = { series: number; batch: SeriesBatch; merged: MergedSeries };

const READING = tableName('reading');
const CHANGE = tableName('reading_change');

export function createReadings(
  context: QuestDbContext,
  start_seq: number,
  counts: CountKeeper,
): DrainedReadings & { dirty: DirtyMarks; rewind(seq: number): Promise<void>; saveCursor(): Promise<void> } {
  const { db, registry, serial, floors } = context;
  const tails = new Map<number, number>();
  let cursor = start_seq;
  const saveCursor = () => db.write(tableName('journal_cursor'), [{ n: 0, seq: cursor, at_ms: 0 }]);
  return {
    cursor: async () => cursor,
    // A count would need its own table, and no transaction spans two of them.
    doubled: async () => null,
    counts: async () => counts.now(),
    skip: (group) =>
      serial(async () => {
        if (group.seq <= cursor) return;
        await counts.save(group.seq, countDead(counts.now(), group));
        cursor = group.seq;
        await saveCursor();
        counts.confirm();
      }),
    append: (groups) =>
      serial(async () => {
        const fresh = groups.filter((group) => group.seq > cursor);
        const last = fresh.at(-1);
        if (!last) return { applied: 0, ignored: groups.length, stored: 0, changed: 0, touched: [] };
        const batches = batchBySeries(fresh);
        const ids = await numberSeries(context, batches, true);
        const numbered = batches.map((batch, index) => ({ series: ids[index]!, batch }));
        await loadTails(context, tails, numbered);
        const existing = await findExisting(context, tails, numbered);
        const merged = numbered.map((one) => ({
          ...one,
          merged: mergeSeries(one.batch.readings, existing.get(one.series) ?? new Map()),
        }));
        const touched = touchedBy(merged);
        const after = countStored(
          counts.now(),
          fresh,
          merged.map((one) => one.merged),
        );
        await counts.save(last.seq, after);
        await store(context, merged, touched, last.seq);
        cursor = last.seq;
        if (!merged.some((one) => one.merged.inserts.length + one.merged.updates.length > 0)) await saveCursor();
        counts.confirm();
        for (const { series, batch } of merged)
          tails.set(series, Math.max(tails.get(series) ?? Number.NEGATIVE_INFINITY, batch.max_ms));
        return outcomeOf(fresh.length, groups.length - fresh.length, merged, touched);
      }),
    async read(tenant, range, options = {}) {
      const series = registry.find(tenant, range.meter, range.quantity);
      if (series === undefined) return emptyReadings(range.quantity);
      const source = sourceOf(context, series, range.quantity);
      return readRange(source, context.repairs.get(series) ?? [], range, options);
    },
    async readMany(names, from_ms, to_ms) {
      const ids = names.map(({ tenant, meter, quantity }) => registry.find(tenant, meter, quantity));
      const known = ids.filter((id) => id !== undefined).map(whole);
      if (known.length === 0) known.push('-1');
      const rows = await db.numbers(
        [READING],
        `select series, ${AT_MS}, value, quality, from_ms from ${READING} where ${within(Math.max(from_ms, floors.reading), to_ms)} ` +
          `and series in (${known.join(', ')}) and quality <> ${GONE} order by series, at`,
      );
      return splitSeries(rows, ids, (index) => isInterval(names[index]!.quantity)).map((columns, index) => {
        const repairs = context.repairs.get(ids[index] ?? -1) ?? [];
        return overlayRepairs(
          columns,
          repairs.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms),
        );
      });
    },
    async changes(tenant, { meter, quantity, from_ms, to_ms }) {
      const series = registry.find(tenant, meter, quantity);
      if (series === undefined) return [];
      const rows = await db.ask(
        [CHANGE],
        `select ${AT_MS}, value, replaced_by, changed_ms from ${CHANGE} where series = ${whole(series)} and ${within(Math.max(from_ms, floors.reading), to_ms)} and value is not null and shown_seq <= ${whole(cursor)} order by at, seq, n`,
      );
      return (rows as [number, number, number, number][]).map(([at_ms, value, replaced_by, changed_ms]) => ({
        at_ms,
        value,
        replaced_by,
        changed_ms,
      }));
    },
    repair: (tenant, repairs) =>
      serial(async () => {
        const ids = await numberSeries(
          context,
          repairs.map((repair) => ({ tenant, ...repair })),
          true,
        );
        await markDirty(
          context,
          repairs.map(({ at_ms }, index) => ({ series: ids[index]!, from_ms: at_ms, to_ms: at_ms })),
        );
        await db.write(
          tableName('repair'),
          repairs.map(({ at_ms, value, by }, index) => ({
            series: ids[index]!,
            at_ms: Math.round(at_ms),
            value: value ?? null,
            state: value === undefined ? 0 : value === null ? 2 : 1,
            by,
          })),
        );
        for (const series of new Set(ids))
          keepRepairs(
            context.repairs,
            series,
            repairs
              .filter((_, index) => ids[index] === series)
              .map((one) => ({ ...one, at_ms: Math.round(one.at_ms) })),
          );
      }),
    dirty: createDirty(context),
    rewind: (seq) =>
      serial(async () => {
        // What is stored keeps its number: the new journal begins below it, so the column must forget the old one.
        await db.run(`update ${READING} set seq = 0`);
        await db.run(`update ${CHANGE} set shown_seq = 0`);
        await db.wal.settle(READING);
        await db.wal.settle(CHANGE);
        await counts.save(seq, counts.now());
        counts.confirm();
        cursor = seq;
        await saveCursor();
      }),
    saveCursor: () => serial(saveCursor),
  };
}

/** Marks go first: one too many computes slots once more for nothing, one too few leaves them old. */
async function markDirty(
  { db, dirty }: QuestDbContext,
  marks: readonly { series: number; from_ms: number; to_ms: number }[],
): Promise<void> {
  const wider = new Map<number, { from_ms: number; to_ms: number }>();
  for (const { series, from_ms, to_ms } of marks) {
    const before = wider.get(series) ?? dirty.get(series);
    if (before && before.from_ms <= from_ms && before.to_ms >= to_ms) continue;
    wider.set(series, {
      from_ms: Math.min(from_ms, before?.from_ms ?? Number.POSITIVE_INFINITY),
      to_ms: Math.max(to_ms, before?.to_ms ?? Number.NEGATIVE_INFINITY),
    });
  }
  await db.write(
    tableName('dirty'),
    [...wider].map(([series, range]) => ({ series, ...range, state: 1, at_ms: 0 })),
  );
  for (const [series, range] of wider) dirty.set(series, range);
}

function createDirty({ db, registry, dirty, serial }: QuestDbContext): DirtyMarks {
  return {
    async list() {
      return [...dirty].flatMap(([id, range]) => {
        const key = registry.byId(id);
        return key ? [{ tenant: key.tenant, meter: key.meter, quantity: key.quantity, ...range }] : [];
      });
    },
    done: (touched) =>
      serial(async () => {
        const ids = touched
          .flatMap(({ tenant, meter, quantity }) => registry.find(tenant, meter, quantity) ?? [])
          .filter((id) => dirty.has(id));
        await db.write(
          tableName('dirty'),
          ids.map((series) => ({ series, state: 0, at_ms: 0 })),
        );
        for (const id of ids) dirty.delete(id);
      }),
  };
}

async function loadTails(
  { db }: QuestDbContext,
  tails: Map<number, number>,
  batches: readonly { series: number; batch: SeriesBatch }[],
): Promise<void> {
  const unknown = batches.filter((one) => !tails.has(one.series));
  if (unknown.length === 0) return;
  const from = unknown.reduce((least, one) => Math.min(least, one.batch.min_ms), Number.POSITIVE_INFINITY);
  const [series, at] = await db.numbers(
    [READING],
    `select series, max(cast(at as long) / 1000) from ${READING} where at >= ${micros(from)} group by series`,
  );
  for (const one of unknown) tails.set(one.series, from - 1);
  const wanted = new Set(unknown.map((one) => one.series));
  for (const [index, id] of series!.entries()) if (wanted.has(id)) tails.set(id, at![index]!);
}

/** What is stored at the instants of the batch, for series with readings that are not after all they have. */
async function findExisting(
  { db }: QuestDbContext,
  tails: Map<number, number>,
  batches: readonly { series: number; batch: SeriesBatch }[],
): Promise<Map<number, Map<number, StoredReading>>> {
  const found = new Map<number, Map<number, StoredReading>>();
  for (const { series, batch } of batches) {
    const tail = tails.get(series)!;
    if (batch.min_ms > tail) continue;
    const wanted = new Set(batch.readings.map((reading) => reading.at_ms));
    const [at, value, quality, start] = await db.numbers(
      [READING],
      `select ${AT_MS}, value, quality, from_ms from ${READING} where series = ${whole(series)} and quality <> ${GONE} ` +
        `and ${within(batch.min_ms, Math.min(batch.max_ms, tail) + 1)}`,
    );
    const instants = new Map<number, StoredReading>();
    for (const [index, at_ms] of at!.entries()) {
      if (!wanted.has(at_ms)) continue;
      const from_ms = start![index]!;
      instants.set(at_ms, {
        value: value![index]!,
        quality: quality![index]!,
        from_ms: Number.isNaN(from_ms) ? null : from_ms,
      });
    }
    found.set(series, instants);
  }
  return found;
}

/** Marks and change log first: written twice they are the same. The readings carry the cursor and come last. */
async function store(
  context: QuestDbContext,
  batches: readonly NumberedBatch[],
  touched: readonly (TouchedSeries & { series: number })[],
  seq: number,
): Promise<void> {
  await markDirty(context, touched);
  const changes = batches.flatMap(({ series, merged }) =>
    merged.changes.map(({ order, ...change }) => ({ series, ...change, n: order, shown_seq: change.seq })),
  );
  await context.db.write(CHANGE, changes);
  const rows = batches.flatMap(({ series, merged }) =>
    [...merged.inserts, ...merged.updates].map((row) => ({ series, ...row, seq })),
  );
  await context.db.write(READING, rows);
}

function touchedBy(batches: readonly NumberedBatch[]): (TouchedSeries & { series: number })[] {
  return batches.flatMap(({ series, batch: { tenant, meter, quantity }, merged: { from_ms, to_ms } }) =>
    from_ms > to_ms ? [] : [{ series, tenant, meter, quantity, from_ms, to_ms }],
  );
}

function outcomeOf(
  applied: number,
  ignored: number,
  batches: readonly NumberedBatch[],
  touched: readonly (TouchedSeries & { series: number })[],
): AppendOutcome {
  let stored = 0;
  let changed = 0;
  for (const { merged } of batches) {
    changed += merged.changes.length;
    stored += merged.inserts.length + merged.changes.length;
  }
  return { applied, ignored, stored, changed, touched: touched.map(({ series: _, ...rest }) => rest) };
}

/** The readings of one series as they are stored and still kept. */
function sourceOf({ db, floors }: QuestDbContext, series: number, quantity: string): ReadingSource {
  const interval = isInterval(quantity);
  const kept = `series = ${whole(series)} and quality <> ${GONE}`;
  return {
    async rows(from_ms, to_ms, limit) {
      const top = limit === undefined ? '' : ` limit ${whole(limit)}`;
      const [at, values, quality, from] = await db.numbers(
        [READING],
        `select ${AT_MS}, value, quality, from_ms from ${READING} ` +
          `where ${kept} and ${within(Math.max(from_ms, floors.reading), to_ms)} order by at${top}`,
      );
      return readingColumns(at!, values!, quality!, interval ? from! : null);
    },
    async nearest(edge_ms, side, gone) {
      const there =
        side === 'before' ? within(floors.reading, edge_ms) : `at >= ${micros(Math.max(edge_ms, floors.reading))}`;
      const others = gone.length > 0 ? ` and at not in (${gone.map(micros).join(', ')})` : '';
      const rows = await db.ask(
        [READING],
        `select ${AT_MS} from ${READING} where ${kept} and ${there}${others} order by at ${side === 'before' ? 'desc' : 'asc'} limit 1`,
      );
      return (rows[0]?.[0] as number | undefined) ?? null;
    },
  };
}
