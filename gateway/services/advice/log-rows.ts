/**
 * The log of decisions as rows that the Open Bandit Pipeline reads (Saito et al., "Open bandit dataset and pipeline",
 * NeurIPS 2021: timestamp, item_id, position, click, propensity_score, user_feature_…). An item is a kind of advice, a
 * click is the reward; what the pipeline does not know stands behind.
 */
import type { Sql } from '../../../engine/ports.ts';
import { ACTION_KINDS } from '../../../recommender/action.ts';
import { MOMENT_NAMES } from '../../../recommender/moment.ts';
import type { Base } from '../../services.ts';
import { type DecisionRow, decisionsOf } from './rows.ts';

/** `click` is null where nobody answered: missing, not 0. Positions count from 1. */
export type LogRow = Record<string, string | number | null>;
export type LogRange = { from_ms: number; to_ms: number; silent: boolean };

const PAGE = 200;
export const LOG_COLUMNS = [
  { name: 'timestamp', type: 'VARCHAR' },
  { name: 'item_id', type: 'INTEGER' },
  { name: 'position', type: 'INTEGER' },
  { name: 'click', type: 'DOUBLE' },
  { name: 'propensity_score', type: 'DOUBLE' },
  ...MOMENT_NAMES.map((_, i) => ({ name: `user_feature_${i}`, type: 'DOUBLE' as const })),
  { name: 'kind', type: 'VARCHAR' },
  { name: 'action_id', type: 'VARCHAR' },
  { name: 'action_propensity', type: 'DOUBLE' },
  { name: 'decision_id', type: 'VARCHAR' },
  { name: 'policy', type: 'VARCHAR' },
  { name: 'seed', type: 'BIGINT' },
  { name: 'delay_s', type: 'DOUBLE' },
] as const;

type Reward = { decision_id: string; action_id: string; value: number; delay_ms: number };

/** Oldest first, in pages. Decisions of the first release, whose moment is not known, are left out. */
export async function* decisionLog(
  { db }: Pick<Base, 'db'>,
  tenant: string,
  { from_ms, to_ms, silent }: LogRange,
): AsyncGenerator<LogRow[]> {
  let after = { at_ms: from_ms, id: '00000000-0000-0000-0000-000000000000' };
  for (;;) {
    const { ids, rows } = await db.asTenant(tenant, (sql) => pageOf(sql, after, to_ms, silent));
    if (rows.length > 0) yield rows;
    if (ids.length < PAGE) return;
    after = ids.at(-1)!;
  }
}

async function pageOf(sql: Sql, after: { at_ms: number; id: string }, to_ms: number, silent: boolean) {
  const ids = await sql<{ id: string; at_ms: number }>(
    `select id, (extract(epoch from at) * 1000)::bigint as at_ms from decision
     where moment is not null and (at, id) > (to_timestamp($1 / 1000.0), $2::uuid) and at < to_timestamp($3 / 1000.0)
     order by at, id limit ${PAGE}`,
    [after.at_ms, after.id, to_ms],
  );
  const rewards = await sql<Reward>(
    'select decision_id, action_id, value, delay_ms from reward where decision_id = any($1::uuid[]) order by seq',
    [ids.map(({ id }) => id)],
  );
  // The effect comes after the answer and takes its place.
  const known = new Map(rewards.map((row) => [`${row.decision_id} ${row.action_id}`, row]));
  const decisions = await decisionsOf(
    sql,
    ids.map(({ id }) => id),
  );
  const rows = decisions.flatMap((row) => rowsOf(row, known));
  return { ids, rows: silent ? rows : rows.filter(({ click }) => click !== null) };
}

function rowsOf(row: DecisionRow, known: ReadonlyMap<string, Reward>): LogRow[] {
  return row.chosen.map(({ chosen, propensities }, place) => {
    const kindOf = new Map(row.eligible.map(({ id, kind }) => [id, kind]));
    const kind = kindOf.get(chosen)!;
    const ofKind = Object.entries(propensities).reduce((sum, [id, p]) => (kindOf.get(id) === kind ? sum + p : sum), 0);
    const reward = known.get(`${row.id} ${chosen}`);
    return {
      ...{ timestamp: new Date(row.at_ms).toISOString(), item_id: ACTION_KINDS.indexOf(kind), position: place + 1 },
      ...{ click: reward?.value ?? null, propensity_score: Math.min(1, ofKind) },
      ...Object.fromEntries(MOMENT_NAMES.map((_, i) => [`user_feature_${i}`, row.moment![i] ?? null])),
      ...{ kind, action_id: chosen, action_propensity: propensities[chosen]!, decision_id: row.id },
      ...{ policy: row.policy, seed: row.seed, delay_s: reward ? reward.delay_ms / 1000 : null },
    };
  });
}
