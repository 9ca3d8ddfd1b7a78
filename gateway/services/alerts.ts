/** Alerts: what is wrong now, once per thing that is wrong; what is over stays readable. */
import type { Alert, AlertService, Base } from '../services.ts';

const LIMIT = 200;

type Row = {
  id: string;
  kind: Alert['kind'];
  object: string;
  severity: Alert['severity'];
  detail: Record<string, unknown>;
  opened_ms: string;
  closed_ms: string | null;
};

/**
 * `raise` while open refreshes severity and detail and keeps the time it began. `detail.since_ms` (epoch ms), where
 * given, is when it began; otherwise it began now. Waiting pages are told only of what changed for them.
 */
export function createAlertService({ db, clock, bus }: Pick<Base, 'db' | 'clock' | 'bus'>): AlertService {
  return {
    async raise(tenant, kind, object, severity, detail = {}) {
      const began_ms = typeof detail.since_ms === 'number' ? detail.since_ms : clock.now();
      const changed = await db.asTenant(tenant, async (sql) => {
        const [open] = await sql<{ severity: string }>(
          'select severity from alert where kind = $1 and object = $2 and closed_at is null',
          [kind, object],
        );
        await sql(
          `insert into alert (tenant_id, kind, object, severity, detail, opened_at)
           values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000))
           on conflict (tenant_id, kind, object) where closed_at is null
           do update set severity = excluded.severity, detail = excluded.detail`,
          [tenant, kind, object, severity, JSON.stringify(detail), began_ms],
        );
        return open?.severity !== severity;
      });
      if (changed) bus.publish({ type: 'alert', tenant });
    },

    async clear(tenant, kind, object) {
      const closed = await db.asTenant(tenant, (sql) =>
        sql(
          `update alert set closed_at = greatest(opened_at, to_timestamp($3::float8 / 1000))
           where kind = $1 and object = $2 and closed_at is null returning id`,
          [kind, object, clock.now()],
        ),
      );
      if (closed.length > 0) bus.publish({ type: 'alert', tenant });
    },

    async list(tenant, { open_only = false, limit = LIMIT } = {}) {
      const rows = await db.asTenant(tenant, (sql) =>
        sql<Row>(
          `select id, kind, object, severity, detail,
             (extract(epoch from opened_at) * 1000)::bigint as opened_ms,
             (extract(epoch from closed_at) * 1000)::bigint as closed_ms
           from alert where closed_at is null or not $1::boolean
           order by closed_at is not null, opened_at desc, id limit $2`,
          [open_only, Math.min(limit, 1000)],
        ),
      );
      return rows.map((row) => ({
        ...row,
        opened_ms: Number(row.opened_ms),
        closed_ms: row.closed_ms === null ? null : Number(row.closed_ms),
      }));
    },
  };
}
