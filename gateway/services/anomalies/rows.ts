/** Anomalies in the database. */
import type { Lesson } from '../../../engine/anomaly/detect.ts';
import type { Likely } from '../../../engine/anomaly/explain.ts';
import type { FaultKind } from '../../../engine/anomaly/statistics.ts';
import type { Sql } from '../../../engine/ports.ts';

export type AnomalyRecord = {
  id: string;
  meter: string;
  quantity: string;
  kind: FaultKind;
  since_ms: number;
  opened_ms: number;
  /** null while it lasts. */
  ended_ms: number | null;
  /** −log10 of the pooled p-value, at its highest. */
  score: number;
  /** Actual less expected. */
  energy_kWh: number | null;
  amount: number | null;
  currency: string | null;
  /** Likeliest first. */
  causes: Likely[];
  verdict: Lesson['verdict'] | null;
  verdict_by: string | null;
};

type Row = {
  id: string;
  meter_id: string;
  quantity: string;
  kind: FaultKind;
  since_at: Date;
  opened_at: Date;
  ended_at: Date | null;
  score: number;
  energy_kwh: number | null;
  amount: number | null;
  currency: string | null;
  causes: Likely[];
  verdict: Lesson['verdict'] | null;
  verdict_by: string | null;
};
const COLUMNS = `id, meter_id, quantity, kind, since_at, opened_at, ended_at, score, energy_kwh, amount, currency, causes,
  verdict, verdict_by`;

export async function listAnomalies(
  sql: Sql,
  { open_only = false, meter = null, limit }: { open_only?: boolean; meter?: string | null; limit: number },
): Promise<AnomalyRecord[]> {
  const rows = await sql<Row>(
    `select ${COLUMNS} from anomaly
     where (ended_at is null or not $1::boolean) and ($2::text is null or meter_id = $2)
     order by ended_at is not null, since_at desc, id limit $3`,
    [open_only, meter, limit],
  );
  return rows.map(recordOf);
}

export async function anomalyById(sql: Sql, id: string): Promise<AnomalyRecord | null> {
  const [row] = await sql<Row>(`select ${COLUMNS} from anomaly where id = $1`, [id]);
  return row ? recordOf(row) : null;
}

export async function insertAnomaly(sql: Sql, tenant: string, one: Omit<AnomalyRecord, 'id'>): Promise<string> {
  const [row] = await sql<{ id: string }>(
    `insert into anomaly (tenant_id, meter_id, quantity, kind, since_at, opened_at, ended_at, score, energy_kwh, amount,
       currency, causes) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`,
    [
      ...[tenant, one.meter, one.quantity, one.kind, new Date(one.since_ms), new Date(one.opened_ms)],
      ...[dateOf(one.ended_ms), one.score, one.energy_kWh, one.amount, one.currency, JSON.stringify(one.causes)],
    ],
  );
  return row!.id;
}

/** What more hours have shown; its id, and what people said of it, stay. */
export async function updateAnomaly(sql: Sql, id: string, one: Omit<AnomalyRecord, 'id'>): Promise<void> {
  await sql(
    `update anomaly set kind = $2, since_at = $3, ended_at = $4, score = greatest(score, $5), energy_kwh = $6, amount = $7,
       currency = $8, causes = $9 where id = $1`,
    [
      ...[id, one.kind, new Date(one.since_ms), dateOf(one.ended_ms), one.score],
      ...[one.energy_kWh, one.amount, one.currency, JSON.stringify(one.causes)],
    ],
  );
}

export async function endAnomaly(sql: Sql, id: string, at_ms: number): Promise<void> {
  await sql('update anomaly set ended_at = greatest(since_at, $2::timestamptz) where id = $1 and ended_at is null', [
    id,
    new Date(at_ms),
  ]);
}

/** @returns what it is then; null for one that does not exist. */
export async function judgeAnomaly(
  sql: Sql,
  id: string,
  verdict: Lesson['verdict'],
  by: string | null,
  now_ms: number,
): Promise<AnomalyRecord | null> {
  const ended = verdict === 'expected' ? ', ended_at = coalesce(ended_at, greatest(since_at, $4::timestamptz))' : '';
  const [row] = await sql<Row>(
    `update anomaly set verdict = $2, verdict_by = $3, verdict_at = $4${ended} where id = $1 returning ${COLUMNS}`,
    [id, verdict, by, new Date(now_ms)],
  );
  return row ? recordOf(row) : null;
}

const dateOf = (at_ms: number | null): Date | null => (at_ms === null ? null : new Date(at_ms));

function recordOf({ meter_id, since_at, opened_at, ended_at, energy_kwh, ...row }: Row): AnomalyRecord {
  return {
    ...row,
    meter: meter_id,
    since_ms: since_at.getTime(),
    opened_ms: opened_at.getTime(),
    ended_ms: ended_at?.getTime() ?? null,
    energy_kWh: energy_kwh,
  };
}
