/** The way from the journal into the series store: what the worker that drains tells the rest of the box, and is told. */
import type { MeterPoint } from '../engine/model/site.ts';
import type { Metrics } from './metrics.ts';
import type { WorkerSeries } from './series.ts';
import type { ReadingBook, ReadingCounts, SourceBook } from './services/reading-counts.ts';
import type { Base, MeterService, SiteService } from './services.ts';

const STORE_READY_MS = 2000;
const LAG_EVERY_MS = 1000;

/** Before the journal lets go of records, what was counted of them is on disk. */
const RELEASE_EVERY_MS = 1000;

export type DrainDeps = Pick<Base, 'bus' | 'log' | 'metrics' | 'journal'> & {
  series: WorkerSeries;
  books: Pick<ReadingCounts, 'applied' | 'book' | 'save'>;
  site: Pick<SiteService, 'tenants'>;
  meters: Pick<MeterService, 'list' | 'onChange'>;
  loads: { forget(tenant: string): Promise<void> };
  ratingOf(point: MeterPoint): { rated_power_W?: number };
  /** The journal lets go of records at most this often; 1,000 where left out. */
  release_every_ms?: number;
};

/** Starts to drain. A store that is away is no reason not to start: the journal keeps what comes. */
export async function startDrain(deps: DrainDeps): Promise<void> {
  const { series, metrics, bus, log, books } = deps;
  const release = createRelease(deps);
  const tellLag = () => {
    metrics.drain_lag.set(series.drain.lag());
    tellBooks(metrics, books.book());
  };
  tellLag();
  // While the store is away nothing is applied, and the lag grows all the same.
  setInterval(tellLag, LAG_EVERY_MS).unref();
  tellRoles(deps);
  deps.meters.onChange(() => tellRoles(deps));
  series.drain.onApplied((seq, _touched, applied) => {
    metrics.drained.inc(applied);
    const { doubled, counts } = series.drain.state();
    if (counts) books.applied(counts);
    tellLag();
    metrics.doubled.set(doubled ?? Number.NaN);
    release(seq);
  });
  series.drain.onSlots((changed) => {
    for (const slots of changed) bus.publish({ type: 'slots', ...slots });
  });
  series.drain.onState(({ up, reason, doubled, recovery, counts }) => {
    if (counts) books.applied(counts);
    metrics.doubled.set(doubled ?? Number.NaN);
    log[up ? 'info' : 'warn']({ up, reason, recovery }, 'series store');
    if (recovery !== null) void forgetLoads(deps);
  });
  series.drain.onDamaged((segment) => {
    log.error({ segment }, 'the journal has damaged bytes; what is intact is drained');
    deps.journal
      .setAside?.(segment)
      .catch((error: unknown) => log.error({ err: error, segment }, 'a damaged segment could not be set aside'));
  });
  series.drain.onUnverified((reason) => log.warn({ reason }, 'old segments of the journal could not be checked'));
  series.drain.start();
  await series
    .ready(STORE_READY_MS)
    .catch((error: Error) => log.warn({ err: error }, 'going on without the series store'));
}

/** Lets the journal go of what the store has, at most once in a while; the counts come first, where the disk takes them. */
function createRelease({ journal, books, log, release_every_ms = RELEASE_EVERY_MS }: DrainDeps): (seq: number) => void {
  let upTo = 0;
  let waiting = false;
  const release = async () => {
    waiting = false;
    await books.save().catch((error: unknown) => log.warn({ err: error }, 'the counts of readings were not saved'));
    await journal
      .release(upTo)
      .catch((error: unknown) => log.error({ err: error }, 'the journal could not release what the store has'));
  };
  return (seq) => {
    upTo = Math.max(upTo, seq);
    if (waiting) return;
    waiting = true;
    setTimeout(release, release_every_ms).unref();
  };
}

function tellBooks(metrics: Metrics, { sources, missing }: ReadingBook): void {
  const gauges = {
    ...{ received: metrics.readings_received, stored: metrics.readings_stored, rejected: metrics.readings_rejected },
    ...{ duplicate: metrics.readings_duplicate, dead: metrics.readings_dead, waiting: metrics.readings_waiting },
  };
  for (const [source, book] of Object.entries(sources))
    for (const [state, gauge] of Object.entries(gauges)) gauge.set({ source }, book[state as keyof SourceBook]);
  metrics.readings_missing.set(missing);
}

/** Roles decide how power becomes energy, so the drain knows them before its first slot. */
function tellRoles({ series, site, meters, ratingOf }: DrainDeps): void {
  series.drain.setRoles(
    site
      .tenants()
      .flatMap((tenant) =>
        meters.list(tenant).map((point) => ({ tenant, meter: point.id, role: point.role, ...ratingOf(point) })),
      ),
  );
}

/** The store lost readings: files that were loaded can be loaded again. */
async function forgetLoads({ site, loads, log }: DrainDeps): Promise<void> {
  for (const tenant of site.tenants())
    await loads
      .forget(tenant)
      .catch((error: unknown) => log.error({ err: error, tenant }, 'loaded files still count as loaded'));
}
