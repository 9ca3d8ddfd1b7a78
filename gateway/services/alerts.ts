/** Alerts: what is wrong now, once per thing that is wrong; who has seen it; what is over stays readable. */
import { NotFoundError } from '../../engine/errors.ts';
import type { Sql } from '../../engine/ports.ts';
import type { Actor, Base } from '../services.ts';
import { writeAudit } from './audit.ts';

export interface AlertService {
  /** Opens, or refreshes while open. One open alert per (kind, object). */
  raise(
    tenant: string,
    kind: AlertKind,
    object: string,
    severity: 'info' | 'warning' | 'fault',
    detail?: Record<string, unknown>,
  ): Promise<void>;
  clear(tenant: string, kind: AlertKind, object: string): Promise<void>;
  list(tenant: string, options?: { open_only?: boolean; limit?: number }): Promise<Alert[]>;
  /** @returns null for one that does not exist. */
  get(tenant: string, id: string): Promise<Alert | null>;
  /** Those of the ids that exist. */
  byId(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Alert>>;
  /** Notes who has seen it, once: nobody further is told. @throws NotFoundError */
  acknowledge(actor: Actor, id: string): Promise<Alert>;
}

export type AlertKind =
  | 'meter_silent'
  | 'meter_stuck'
  | 'device_unreachable'
  | 'prices_stale'
  | 'journal_quarantine'
  | 'journal_full'
  | 'series_store_down'
  | 'series_table_suspended'
  | 'dead_letters'
  | 'register_reset'
  | 'register_jump'
  | 'unit_changed'
  | 'meters_mixed'
  | 'meter_gap'
  | 'meter_standstill'
  | 'night_load'
  | 'anomaly'
  | 'quality_fault'
  | 'document_refused'
  | 'retrieval_worse'
  | 'answers_worse'
  | 'disk_low'
  | 'disk_full'
  | 'clock_wrong'
  | 'channel_failing'
  | 'backup_failed'
  | 'backup_stale'
  | 'audit_broken'
  | 'forecast_drift'
  | 'forecast_error'
  | 'model_rolled_back';

export type Alert = {
  id: string;
  kind: AlertKind;
  object: string;
  severity: 'info' | 'warning' | 'fault';
  detail: Record<string, unknown>;
  opened_ms: number;
  closed_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
};

const LIMIT = 200;
const MOST = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const COLUMNS = 'id, kind, object, severity, detail, opened_at, closed_at, acknowledged_at, acknowledged_by';

type Row = Omit<Alert, 'opened_ms' | 'closed_ms' | 'acknowledged_ms'> & {
  opened_at: Date;
  closed_at: Date | null;
  acknowledged_at: Date | null;
};

/**
 * `raise` while open refreshes severity and detail and keeps the time it began; one that gets worse begins a new round:
 * its acknowledgement is void and people are told anew. `detail.since_ms` (epoch ms), where given, is when it began;
 * otherwise it began now. Waiting pages are told only of what changed for them.
 */
export function createAlertService({ db, clock, bus }: Pick<Base, 'db' | 'clock' | 'bus'>): AlertService {
  return {
    async raise(tenant, kind, object, severity, detail = {}) {
      const now_ms = clock.now();
      const began_ms = typeof detail.since_ms === 'number' ? detail.since_ms : now_ms;
      const changed = await db.asTenant(tenant, async (sql) => {
        const [open] = await sql<{ severity: string }>(
          'select severity from alert where kind = $1 and object = $2 and closed_at is null for update',
          [kind, object],
        );
        await sql(RAISE, [
          tenant,
          kind,
          object,
          severity,
          JSON.stringify(detail),
          new Date(began_ms),
          new Date(now_ms),
        ]);
        return open?.severity !== severity;
      });
      if (changed) bus.publish({ type: 'alert', tenant });
    },

    async clear(tenant, kind, object) {
      const closed = await db.asTenant(tenant, (sql) =>
        sql(
          `update alert set closed_at = greatest(opened_at, $3::timestamptz)
           where kind = $1 and object = $2 and closed_at is null returning id`,
          [kind, object, new Date(clock.now())],
        ),
      );
      if (closed.length > 0) bus.publish({ type: 'alert', tenant });
    },

    async list(tenant, { open_only = false, limit = LIMIT } = {}) {
      const rows = await db.asTenant(tenant, (sql) =>
        sql<Row>(
          `select ${COLUMNS} from alert where closed_at is null or not $1::boolean
           order by closed_at is not null, opened_at desc, id limit $2`,
          [open_only, Math.min(limit, MOST)],
        ),
      );
      return rows.map(alertOf);
    },

    async get(tenant, id) {
      const [row] = UUID.test(id) ? await db.asTenant(tenant, (sql) => find(sql, id)) : [];
      return row ? alertOf(row) : null;
    },

    async byId(tenant, ids) {
      const rows = await db.asTenant(tenant, (sql) =>
        sql<Row>(`select ${COLUMNS} from alert where id = any($1::uuid[])`, [ids]),
      );
      return new Map(rows.map((row) => [row.id, alertOf(row)]));
    },

    async acknowledge(actor, id) {
      const row = UUID.test(id)
        ? await db.asTenant(actor.tenant, (sql) => acknowledge(sql, actor, id, clock.now()))
        : null;
      if (!row) throw new NotFoundError('There is no such alert.', 'It may belong to something that was removed.');
      bus.publish({ type: 'alert', tenant: actor.tenant });
      return alertOf(row);
    },
  };
}

/** The first one counts. */
async function acknowledge(sql: Sql, actor: Actor, id: string, now_ms: number): Promise<Row | null> {
  const changed = await sql(
    `update alert set acknowledged_at = $2, acknowledged_by = $3
     where id = $1 and closed_at is null and acknowledged_at is null returning id`,
    [id, new Date(now_ms), actor.person],
  );
  const [row] = await find(sql, id);
  if (row && changed.length > 0) await writeAudit(sql, actor, 'acknowledge alert', `${row.kind} ${row.object}`);
  return row ?? null;
}

const WORSE = `array_position(array['info', 'warning', 'fault'], excluded.severity)
  > array_position(array['info', 'warning', 'fault'], alert.severity)`;
const RAISE = `
  insert into alert (tenant_id, kind, object, severity, detail, opened_at, raised_at) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (tenant_id, kind, object) where closed_at is null
  do update set severity = excluded.severity, detail = excluded.detail,
    round = alert.round + case when ${WORSE} then 1 else 0 end,
    raised_at = case when ${WORSE} then excluded.raised_at else alert.raised_at end,
    acknowledged_at = case when ${WORSE} then null else alert.acknowledged_at end,
    acknowledged_by = case when ${WORSE} then null else alert.acknowledged_by end`;

function find(sql: Sql, id: string): Promise<Row[]> {
  return sql<Row>(`select ${COLUMNS} from alert where id = $1`, [id]);
}

function alertOf({ opened_at, closed_at, acknowledged_at, ...alert }: Row): Alert {
  return {
    ...alert,
    opened_ms: opened_at.getTime(),
    closed_ms: closed_at?.getTime() ?? null,
    acknowledged_ms: acknowledged_at?.getTime() ?? null,
  };
}
