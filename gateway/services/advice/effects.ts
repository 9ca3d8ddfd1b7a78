/** Measures what accepted advice brought, once its time has passed, and tells the policy. Hourly. */
import { addDays, dayStart, instantOf, localTime, SLOT_MS, sameTimeBefore } from '../../../engine/model/time.ts';
import type { Columns, Sql } from '../../../engine/ports.ts';
import type { Action, Measure } from '../../../recommender/action.ts';
import {
  dueOf,
  effectRange,
  energyEffect,
  nightEffect,
  type PowerBySlot,
  peakEffect,
  yieldEffect,
} from '../../../recommender/effect.ts';
import { halfSaving } from '../../../recommender/moment.ts';
import { ACCEPTED, rewardOfEffect } from '../../../recommender/reward.ts';
import type { Base, Services } from '../../services.ts';
import { effectErrors } from './effect-errors.ts';
import { type DecisionRow, decisionOf, insertReward, lockRewards, outcomeOf } from './rows.ts';

export type EffectDeps = Pick<Base, 'db' | 'clock' | 'log' | 'bus'> & {
  data: Pick<Services['data'], 'balance'>;
  forecasts: Pick<Services['forecasts'], 'past'>;
  site: Pick<Services['site'], 'get'>;
};

const USUAL_DAYS = 14;
/** After that a gap will not be filled any more: the effect stays unknown. */
const GIVE_UP_MS = 3 * 86_400_000;
const MOST_AT_ONCE = 50;
const NIGHT = [1, 4] as const;

type Waiting = { decision_id: string; action_id: string; accepted_ms: number; due_ms: number };

/** Notes that the action's effect is to be measured; nothing where no meter can tell. */
export async function awaitEffect(
  sql: Sql,
  tenant: string,
  what: { row: DecisionRow; action: Action; accepted_ms: number },
): Promise<void> {
  const { row, action, accepted_ms } = what;
  if (!action.measure) return;
  const due_ms = dueOf(action.measure, accepted_ms, row.context.time_zone);
  await sql(
    `insert into effect (tenant_id, decision_id, action_id, accepted_at, due_at, currency)
     values ($1, $2, $3, to_timestamp($4 / 1000.0), to_timestamp($5 / 1000.0), $6) on conflict do nothing`,
    [tenant, row.id, action.id, accepted_ms, due_ms, row.context.currency],
  );
}

/** @returns how many effects became known. */
export async function measureEffects(deps: EffectDeps, tenant: string): Promise<number> {
  const due = await deps.db.asTenant(tenant, (sql) =>
    sql<Waiting>(
      `select decision_id, action_id, (extract(epoch from accepted_at) * 1000)::bigint as accepted_ms,
        (extract(epoch from due_at) * 1000)::bigint as due_ms
       from effect where state = 'waiting' and due_at <= to_timestamp($1 / 1000.0) order by due_at limit $2`,
      [deps.clock.now(), MOST_AT_ONCE],
    ),
  );
  let measured = 0;
  for (const one of due) {
    // A store that is away is no reason to call an effect unknown: the next hour tries again.
    const done = await settle(deps, tenant, one).catch((error: unknown) => {
      deps.log.warn({ err: error, tenant_id: tenant, action: one.action_id }, 'an effect could not be measured yet');
      return false;
    });
    if (done) measured++;
  }
  if (measured > 0) deps.bus.publish({ type: 'advice', tenant });
  return measured;
}

async function settle(deps: EffectDeps, tenant: string, one: Waiting): Promise<boolean> {
  const row = await deps.db.asTenant(tenant, (sql) => decisionOf(sql, one.decision_id));
  const action = row.eligible.find(({ id }) => id === one.action_id);
  const amount = action?.measure ? await realisedBy(deps, tenant, row, action.measure, one.accepted_ms) : null;
  const now_ms = deps.clock.now();
  if (amount === null && now_ms < one.due_ms + GIVE_UP_MS) return false;
  const errors =
    amount === null || !action?.measure
      ? []
      : await effectErrors(deps, tenant, action.measure, row.at_ms, row.context.time_zone);
  const range = amount === null ? null : effectRange(amount, errors);
  await deps.db.asTenant(tenant, async (sql) => {
    await lockRewards(sql, tenant);
    const expected = action?.saving?.amount ?? null;
    const share = amount === null || expected === null || expected <= 0 ? null : amount / expected;
    await sql(
      `update effect set state = $3, measured_at = to_timestamp($4 / 1000.0), amount = $5, share = $6, low = $7, high = $8
       where decision_id = $1 and action_id = $2`,
      [
        ...[one.decision_id, one.action_id, amount === null ? 'unknown' : 'measured', now_ms, amount, share],
        ...[range?.low ?? null, range?.high ?? null],
      ],
    );
    if (amount === null || !action) return;
    const reward = rewardOfEffect(amount, halfSaving(row.context));
    const outcome = outcomeOf(row, action, reward);
    if (!outcome) return;
    await insertReward(sql, tenant, {
      ...{ decision_id: row.id, action_id: action.id, source: 'effect', at_ms: now_ms, delay_ms: now_ms - row.at_ms },
      position: row.chosen.findIndex(({ chosen }) => chosen === action.id),
      outcome: { ...outcome, reward, before: ACCEPTED, at_ms: now_ms },
    });
  });
  return amount !== null;
}

/** Money; null where too little was measured. */
async function realisedBy(
  deps: EffectDeps,
  tenant: string,
  { context }: DecisionRow,
  measure: Measure,
  accepted_ms: number,
): Promise<number | null> {
  const tz = context.time_zone;
  switch (measure.kind) {
    case 'energy':
      return energyRealised(deps, tenant, measure, tz);
    case 'peak':
      return peakEffect(measure, bySlot(await deps.data.balance(tenant, 'grid', measure.from_ms, measure.to_ms)));
    case 'night':
      return nightEffect(measure, await nightsAfter(deps, tenant, accepted_ms, tz));
    case 'yield':
      return yieldEffect(measure, await yieldAfter(deps, tenant, accepted_ms, tz));
  }
}

async function energyRealised(
  { data }: EffectDeps,
  tenant: string,
  measure: Extract<Measure, { kind: 'energy' }>,
  tz: string,
): Promise<number | null> {
  const at = measure.slots.map(({ at_ms }) => at_ms);
  if (at.length === 0) return null;
  const [from_ms, to_ms] = [Math.min(...at), Math.max(...at) + SLOT_MS];
  const measured = bySlot(await data.balance(tenant, measure.series, from_ms, to_ms));
  if (measure.slots.every(({ expected_W }) => expected_W !== null)) return energyEffect(measure, measured, new Map());
  const past = bySlot(await data.balance(tenant, measure.series, addDays(from_ms, -USUAL_DAYS, tz), from_ms));
  return energyEffect(measure, measured, usualAt(at, past, tz));
}

/** Mean power at the same local time of the days before. */
function usualAt(slots: readonly number[], past: PowerBySlot, tz: string): PowerBySlot {
  const usual = new Map<number, number>();
  for (const at_ms of slots) {
    const seen: number[] = [];
    for (let back = 1; back <= USUAL_DAYS; back++) {
      const power_W = past.get(sameTimeBefore(at_ms, back, tz));
      if (power_W !== undefined) seen.push(power_W);
    }
    if (seen.length >= USUAL_DAYS / 2) usual.set(at_ms, seen.reduce((a, b) => a + b, 0) / seen.length);
  }
  return usual;
}

/** Mean load of the next two nights. */
async function nightsAfter({ data }: EffectDeps, tenant: string, from_ms: number, tz: string): Promise<number | null> {
  const nights: number[] = [];
  for (const after of [1, 2]) {
    const { year, month, day } = localTime(addDays(dayStart(from_ms, tz), after, tz), tz);
    const [begin, end] = NIGHT.map((hour) => instantOf(tz, year, month, day, hour)) as [number, number];
    const seen = [...bySlot(await data.balance(tenant, 'load', begin, end)).values()];
    if (seen.length >= (0.9 * (end - begin)) / SLOT_MS) nights.push(seen.reduce((a, b) => a + b, 0) / seen.length);
  }
  return nights.length === 0 ? null : nights.reduce((a, b) => a + b, 0) / nights.length;
}

/** Share of the forecast generation that the three days after gave. */
async function yieldAfter(deps: EffectDeps, tenant: string, from_ms: number, tz: string): Promise<number | null> {
  const begin = addDays(dayStart(from_ms, tz), 1, tz);
  const end = addDays(begin, 3, tz);
  const measured = bySlot(await deps.data.balance(tenant, 'generation', begin, end));
  const expected = bySlot(await deps.forecasts.past(tenant, 'generation', begin, end));
  let [given, forecast] = [0, 0];
  for (const [at_ms, power_W] of expected) {
    const seen = measured.get(at_ms);
    if (seen === undefined) continue;
    given += Math.max(0, seen);
    forecast += Math.max(0, power_W);
  }
  return forecast > 0 && measured.size >= (0.9 * (end - begin)) / SLOT_MS ? given / forecast : null;
}

function bySlot({ at_ms, values }: Columns): PowerBySlot {
  const found = new Map<number, number>();
  for (const [i, value] of values.entries()) if (!Number.isNaN(value)) found.set(at_ms[i]!, value);
  return found;
}
