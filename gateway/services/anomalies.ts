/** What is unusual about meter points against their forecasts, once an hour; people's verdicts teach it. */
import { NotFoundError } from '../../engine/errors.ts';
import type { WorkerSeries } from '../series.ts';
import type {
  Actor,
  AlertService,
  Base,
  JobService,
  MeterService,
  PriceService,
  SiteService,
  Workers,
} from '../services.ts';
import { lookAt, tell } from './anomalies/look.ts';
import { type AnomalyRecord, anomalyById, judgeAnomaly, listAnomalies } from './anomalies/rows.ts';
import { writeAudit } from './audit.ts';

export interface AnomalyService {
  /** Open ones first, then the newest. */
  list(
    tenant: string,
    options?: { open_only?: boolean; meter?: string | null; limit?: number },
  ): Promise<AnomalyRecord[]>;
  /** @throws NotFoundError */
  get(tenant: string, id: string): Promise<AnomalyRecord>;
  /** What a person says of it: expected ones are over and the like need more, real ones teach nothing else.
   * The last word counts. @throws NotFoundError */
  judge(actor: Actor, id: string, verdict: 'expected' | 'real'): Promise<AnomalyRecord>;
  /** Looks at all meter points of the tenant now. */
  round(tenant: string): Promise<void>;
}

export type AnomalyDeps = Pick<Base, 'clock' | 'log' | 'db'> & {
  series: Pick<WorkerSeries, 'list'> & { slots: Pick<WorkerSeries['slots'], 'read'> };
  site: Pick<SiteService, 'get' | 'tenants'>;
  meters: Pick<MeterService, 'list'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  jobs: Pick<JobService, 'define' | 'schedule'>;
  workers: Pick<Workers, 'run'>;
  sitePrices: PriceService['site'];
};

const QUEUE = 'anomalies';
const LIMIT = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `start` declares the hourly job, before the job service starts. */
export function createAnomalyService(deps: AnomalyDeps): AnomalyService & { start(): void } {
  const { db, clock, log, series, meters } = deps;

  async function round(tenant: string): Promise<void> {
    const known = await series.list(tenant);
    for (const point of meters.list(tenant)) {
      if (point.virtual) continue;
      const own = known.filter(({ meter }) => meter === point.id).map(({ quantity }) => quantity);
      // Slots of energy are made of power where there is no register.
      const quantities = own.includes('power_W') ? [...own, 'import_kWh', 'export_kWh'] : own;
      try {
        await lookAt(deps, tenant, point, quantities);
      } catch (error) {
        const where = { err: error, tenant_id: tenant, meter_id: point.id };
        log.warn(where, 'what is unusual about a meter could not be looked for; the next hour tries again');
      }
    }
  }

  const found = (one: AnomalyRecord | null): AnomalyRecord => {
    if (!one) throw new NotFoundError('There is no such anomaly.', 'GET /api/v1/anomalies lists them.');
    return one;
  };

  return {
    round,
    list: (tenant, { open_only = false, meter = null, limit = LIMIT } = {}) =>
      db.asTenant(tenant, (sql) => listAnomalies(sql, { open_only, meter, limit: Math.min(limit, 1000) })),
    get: async (tenant, id) => found(UUID.test(id) ? await db.asTenant(tenant, (sql) => anomalyById(sql, id)) : null),
    async judge(actor, id, verdict) {
      const judged = UUID.test(id)
        ? await db.asTenant(actor.tenant, async (sql) => {
            const one = await judgeAnomaly(sql, id, verdict, actor.person, clock.now());
            if (one)
              await writeAudit(sql, actor, 'judge anomaly', `${one.kind} ${one.meter}`, { anomaly: id, verdict });
            return one;
          })
        : null;
      const one = found(judged);
      await tell(deps, actor.tenant, one.meter);
      return one;
    },
    start() {
      deps.jobs.define(QUEUE, async () => {
        for (const tenant of deps.site.tenants()) await round(tenant);
      });
      deps.jobs.schedule(QUEUE, { cron: '40 * * * *' }, {});
    },
  };
}
