/** The way from the journal into the series store: what the worker that drains tells the rest of the box, and is told. */
import type { MeterPoint } from '../engine/model/site.ts';
import type { WorkerSeries } from './series.ts';
import type { Base, MeterService, SiteService } from './services.ts';

const STORE_READY_MS = 2000;
const LAG_EVERY_MS = 1000;

export type DrainDeps = Pick<Base, 'bus' | 'log' | 'metrics' | 'journal'> & {
  series: WorkerSeries;
  site: Pick<SiteService, 'tenants'>;
  meters: Pick<MeterService, 'list' | 'onChange'>;
  loads: { forget(tenant: string): Promise<void> };
  ratingOf(point: MeterPoint): { rated_power_W?: number };
};

/** Starts to drain. A store that is away is no reason not to start: the journal keeps what comes. */
export async function startDrain(deps: DrainDeps): Promise<void> {
  const { series, metrics, journal, bus, log } = deps;
  const tellLag = () => metrics.drain_lag.set(series.drain.lag());
  tellLag();
  // While the store is away nothing is applied, and the lag grows all the same.
  setInterval(tellLag, LAG_EVERY_MS).unref();
  tellRoles(deps);
  deps.meters.onChange(() => tellRoles(deps));
  series.drain.onApplied((seq, _touched, applied) => {
    metrics.drained.inc(applied);
    tellLag();
    metrics.doubled.set(series.drain.state().doubled ?? Number.NaN);
    journal
      .release(seq)
      .catch((error: unknown) => log.error({ err: error }, 'the journal could not release what the store has'));
  });
  series.drain.onSlots((changed) => {
    for (const slots of changed) bus.publish({ type: 'slots', ...slots });
  });
  series.drain.onState(({ up, reason, doubled, recovery }) => {
    metrics.doubled.set(doubled ?? Number.NaN);
    log[up ? 'info' : 'warn']({ up, reason, recovery }, 'series store');
    if (recovery !== null) void forgetLoads(deps);
  });
  series.drain.start();
  await series
    .ready(STORE_READY_MS)
    .catch((error: Error) => log.warn({ err: error }, 'going on without the series store'));
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
