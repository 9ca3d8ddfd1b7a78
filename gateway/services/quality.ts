/** Data quality: a report per meter point and local day, stored once the day is over; today's on demand. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { MeterPoint } from '../../engine/model/site.ts';
import { addDays, dayStart, instantOf, localDate, SLOT_MS } from '../../engine/model/time.ts';
import { type DayReport, daySlots } from '../../engine/quality/report.ts';
import type { SlotsChanged, WorkerSeries } from '../series.ts';
import type { AlertService, Base, JobService, LiveValues, MeterService, SiteService } from '../services.ts';
import { makeReport } from './quality-day.ts';
import { createFaultWatch } from './quality-faults.ts';
import { createQualityWatch } from './quality-watch.ts';

export interface QualityService {
  report(tenant: string, meter: string, day: string): Promise<QualityReport | null>;
  /** For the meter list: the newest report of each meter point, and the 96 cells of today (quality flags; -1 no data). */
  today(tenant: string, meter: string): Promise<{ cells: Int32Array }>;
}

export type QualityReport = {
  meter: string;
  day: string;
  /** ok | warning | fault */
  state: 'ok' | 'warning' | 'fault';
  checks: {
    name: 'schema' | 'nulls' | 'ranges' | 'gaps' | 'outliers' | 'agreement';
    quantity: string;
    passed: boolean;
    count: number;
    text: string;
    text_de?: string;
  }[];
};

const WATCH_MS = 60_000;
const QUEUE = 'quality';
/** Whose slots tell best whether a meter point works, best first. */
const TELLING = ['import_kWh', 'export_kWh', 'power_W', 'gas_m3', 'heat_kWh', 'water_m3'];

export type QualityDeps = Pick<Base, 'clock' | 'log' | 'bus' | 'db'> & {
  series: Pick<WorkerSeries, 'readings' | 'list'> & {
    slots: Pick<WorkerSeries['slots'], 'read' | 'spans' | 'totals'>;
    drain: Pick<WorkerSeries['drain'], 'onSlots'>;
  };
  site: Pick<SiteService, 'get' | 'tenants'>;
  meters: Pick<MeterService, 'list' | 'get'>;
  live: Pick<LiveValues, 'last_ms'>;
  alerts: AlertService;
  jobs: Pick<JobService, 'define' | 'schedule'>;
  /** Whether a device is switched on; left out: all are. */
  enabled?(tenant: string, device: string): boolean;
  /** What the profile of the meter point's device says about its largest power. */
  ratingOf?(point: MeterPoint): { rated_power_W?: number };
};

/** `start` declares the daily job (before the job service starts) and begins to watch the meters; `stop` ends it. */
export function createQualityService(deps: QualityDeps): QualityService & { start(): void; stop(): void } {
  const { clock, log, bus, db, site, meters } = deps;
  const watch = createQualityWatch(deps);
  const faults = createFaultWatch(deps);
  const endings: (() => void)[] = [];
  const zone = (tenant: string) => site.get(tenant)?.time_zone ?? 'UTC';

  async function report(tenant: string, meter: string, day: string): Promise<QualityReport | null> {
    if (!meters.get(tenant, meter))
      throw new NotFoundError(`There is no meter point "${meter}".`, 'GET /api/v1/meters lists them.');
    const { from_ms, to_ms } = boundsOf(day, zone(tenant));
    if (from_ms > clock.now()) return null;
    const stored = await db.asTenant(tenant, (sql) =>
      sql<{ report: DayReport }>('select report from quality_report where meter_id = $1 and day = $2', [meter, day]),
    );
    if (stored[0]) return stored[0].report;
    const made = await makeReport(deps, tenant, meter, day, from_ms, to_ms, zone(tenant));
    if (made && to_ms <= clock.now()) await store(tenant, made);
    return made;
  }

  async function store(tenant: string, made: DayReport): Promise<void> {
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into quality_report (tenant_id, meter_id, day, report) values ($1, $2, $3, $4)
         on conflict (tenant_id, meter_id, day) do update set report = excluded.report, made_at = now()`,
        [tenant, made.meter, made.day, JSON.stringify(made)],
      ),
    );
  }

  /** Yesterday of every meter point, and the alert where it was at fault. One that fails leaves the others alone. */
  async function daily(tenant: string): Promise<void> {
    const yesterday = localDate(addDays(clock.now(), -1, zone(tenant)), zone(tenant));
    for (const { id, virtual } of meters.list(tenant)) {
      if (virtual) continue;
      await attempt({ tenant_id: tenant, meter_id: id }, async () => {
        const made = await report(tenant, id, yesterday);
        if (made?.state === 'fault')
          await deps.alerts.raise(tenant, 'quality_fault', id, 'warning', { day: yesterday, checks: failed(made) });
        else if (made) await deps.alerts.clear(tenant, 'quality_fault', id);
      });
    }
  }

  async function attempt(where: object, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) =>
      log.warn(
        { err: error, ...where },
        'the quality of a meter or tenant could not be judged; the next hour tries again',
      ),
    );
  }

  /** Stored reports of days whose slots changed are made anew when they are asked for. */
  async function forget(changed: readonly SlotsChanged[]): Promise<void> {
    for (const { tenant, meter, from_ms, to_ms } of changed) {
      const tz = zone(tenant);
      if (from_ms >= dayStart(clock.now(), tz)) continue;
      await db.asTenant(tenant, (sql) =>
        sql('delete from quality_report where meter_id = $1 and day between $2 and $3', [
          meter,
          localDate(from_ms, tz),
          localDate(to_ms - 1, tz),
        ]),
      );
    }
  }

  return {
    report,
    async today(tenant, meter) {
      if (!meters.get(tenant, meter)) throw new NotFoundError(`There is no meter point "${meter}".`);
      return { cells: await cellsOf(deps, tenant, meter, dayStart(clock.now(), zone(tenant)), zone(tenant)) };
    },
    start() {
      deps.jobs.define(QUEUE, async () => {
        for (const tenant of site.tenants()) {
          await attempt({ tenant_id: tenant }, () => daily(tenant));
          await attempt({ tenant_id: tenant }, () => faults.round(tenant));
        }
      });
      // Every hour, so that it comes soon after midnight in every time zone; days already reported cost nothing.
      deps.jobs.schedule(QUEUE, { cron: '20 * * * *' }, {});
      const warn = (error: unknown) => log.warn({ err: error }, 'noting the quality of new slots failed');
      endings.push(deps.series.drain.onSlots((changed) => void watch.found(changed).catch(warn)));
      endings.push(deps.series.drain.onSlots((changed) => void forget(changed).catch(warn)));
      endings.push(bus.subscribe((event) => event.type === 'readings' && watch.arrived(event.tenant, event.meters)));
      let running = false;
      const timer = setInterval(async () => {
        if (running) return;
        running = true;
        await watch.round().finally(() => {
          running = false;
        });
      }, WATCH_MS);
      timer.unref();
      endings.push(() => clearInterval(timer));
    },
    stop() {
      for (const end of endings.splice(0)) end();
    },
  };
}

const failed = (made: QualityReport): string[] =>
  made.checks.filter((check) => !check.passed).map((check) => check.text);

/** @throws InvalidDataError for what is no date. */
function boundsOf(day: string, tz: string): { from_ms: number; to_ms: number } {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)?.map(Number) ?? [];
  const real = new Date(Date.UTC(year ?? NaN, (month ?? NaN) - 1, date));
  if (Number.isNaN(real.getTime()) || real.toISOString().slice(0, 10) !== day)
    throw new InvalidDataError(`"${day}" is no day.`, 'Give it as YYYY-MM-DD.');
  const from_ms = instantOf(tz, year!, month!, date!);
  return { from_ms, to_ms: addDays(from_ms, 1, tz) };
}

/** One cell per slot of the local day: its quality flags, or −1 without a value. */
async function cellsOf(
  { series }: QualityDeps,
  tenant: string,
  meter: string,
  from_ms: number,
  tz: string,
): Promise<Int32Array> {
  const to_ms = addDays(from_ms, 1, tz);
  const cells = new Int32Array(daySlots(from_ms, to_ms)).fill(-1);
  const quantities = (await series.list(tenant)).filter((one) => one.meter === meter).map((one) => one.quantity);
  const quantity = TELLING.find((name) => quantities.includes(name)) ?? quantities[0];
  if (quantity === undefined) return cells;
  const slots = await series.slots.read(tenant, { meter, quantity, from_ms, to_ms });
  for (const [i, at_ms] of slots.at_ms.entries())
    if (!Number.isNaN(slots.values[i]!)) cells[(at_ms - from_ms) / SLOT_MS] = slots.quality[i]!;
  return cells;
}
