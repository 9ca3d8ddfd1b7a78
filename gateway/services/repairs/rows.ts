/** Repairs as they lie in the database. */

import type { Sql } from '../../../engine/ports.ts';
import { type Layer, type Overlay, overlaysOf } from '../../../engine/quality/repair-stack.ts';

export type ActKind = 'values' | 'value' | 'energy' | 'interpolate' | 'missing' | 'lift' | 'undo' | 'redo';
export type ActState = 'begun' | 'done' | 'revoking' | 'refused';
export type ActRow = {
  id: string;
  n: number;
  meter_id: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  kind: ActKind;
  amount: number | null;
  target_id: string | null;
  taken_back: boolean;
  state: ActState;
  by: string;
  at: Date;
  reason: string;
};
/** One instant: what lay over the reading and what was shown, before and after. */
export type Change = { at_ms: number; before: Overlay; after: Overlay };

export async function insertAct(
  sql: Sql,
  tenant: string,
  act: Omit<ActRow, 'id' | 'n' | 'taken_back' | 'state'>,
  changes: readonly Change[],
): Promise<string> {
  const [row] = await sql<{ id: string }>(
    `insert into repair_act (tenant_id, meter_id, quantity, from_ms, to_ms, kind, amount, target_id, state, by, at, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'begun', $9, $10, $11) returning id`,
    [
      ...[tenant, act.meter_id, act.quantity, Math.round(act.from_ms), Math.round(act.to_ms), act.kind, act.amount],
      ...[act.target_id, act.by, act.at, act.reason],
    ],
  );
  await sql(
    `insert into repair_value (tenant_id, act_id, at_ms, before_value, before_set, after_value, after_set)
     select $1, $2, * from unnest($3::bigint[], $4::float8[], $5::smallint[], $6::float8[], $7::smallint[])`,
    [
      ...[tenant, row!.id, changes.map((one) => Math.round(one.at_ms))],
      ...[changes.map((one) => one.before.value), changes.map((one) => one.before.set)],
      ...[changes.map((one) => one.after.value), changes.map((one) => one.after.set)],
    ],
  );
  return row!.id;
}

export async function changesOf(sql: Sql, id: string, limit?: number): Promise<Change[]> {
  const rows = await sql<ChangeRow>(
    `select at_ms, before_value, before_set, after_value, after_set from repair_value where act_id = $1
     order by at_ms limit $2`,
    [id, limit ?? null],
  );
  return rows.map(changeOf);
}

type ChangeRow = {
  at_ms: number;
  before_value: number | null;
  before_set: number;
  after_value: number | null;
  after_set: number;
};
const changeOf = (row: ChangeRow): Change => ({
  at_ms: row.at_ms,
  before: { set: row.before_set as Overlay['set'], value: row.before_value },
  after: { set: row.after_set as Overlay['set'], value: row.after_value },
});

/**
 * What has to lie over the readings at the instants of act `id`, from all repairs of the series that are not refused.
 * @param turned an act that counts as taken back where it is not, and the other way round
 */
export async function wantedOverlays(sql: Sql, id: string, turned: string | null): Promise<Map<number, Overlay>> {
  const rows = await sql<ChangeRow & { id: string; n: number; taken_back: boolean }>(
    `select a.id, a.n, a.taken_back, v.at_ms, v.before_value, v.before_set, v.after_value, v.after_set
       from repair_value mine
       join repair_act this on this.id = mine.act_id
       join repair_act a on a.meter_id = this.meter_id and a.quantity = this.quantity
       join repair_value v on v.act_id = a.id and v.at_ms = mine.at_ms
      where mine.act_id = $1 and a.kind not in ('undo', 'redo') and a.state in ('begun', 'done')`,
    [id],
  );
  const layers = rows.map(
    (row): Layer => ({ act: row.n, active: row.taken_back === (row.id === turned), ...changeOf(row) }),
  );
  return overlaysOf(layers);
}

export async function actOf(sql: Sql, id: string): Promise<ActRow | null> {
  const [row] = await sql<ActRow>('select * from repair_act where id = $1', [id]);
  return row ?? null;
}
