/** How the advice has done: acceptance, realised savings and regret, week by week, and answers by kind. */
import { addDays, dayStart } from '../../../engine/model/time.ts';
import type { Sql } from '../../../engine/ports.ts';
import { type RealisedSaving, sumOfEffects } from '../../../recommender/effect.ts';
import type { LivePolicy } from '../../../recommender/live.ts';
import { candidateOf, INPUTS } from '../../../recommender/moment.ts';
import { type DecisionRow, type FeedbackRow, feedbackSince } from './rows.ts';
import { kindOf } from './withheld.ts';

export type AdviceWeek = {
  from_ms: number;
  shown: number;
  accepted: number;
  dismissed: number;
  /** Realised in this week's accepted advice, as far as it is measured; null where nothing is. */
  realised: RealisedSaving | null;
  /** What the best advice of each answered decision would have earned beyond what was chosen, mean; null without answers. */
  regret: number | null;
};
export type AdvicePerformance = {
  currency: string | null;
  weeks: AdviceWeek[];
  /** Answers so far by kind. */
  kinds: { kind: string; accepted: number; answered: number }[];
  realised: RealisedSaving | null;
  /** Accepted actions whose effect is still to come. */
  waiting: number;
};
export type LikeThis = { accepted: number; answered: number };

const WEEKS = 12;
const LIKE_THIS_MS = 180 * 86_400_000;

/** Yes and no by kind, each piece of advice counted once by its newest answer. */
export async function answersByKind(sql: Sql, now_ms: number): Promise<Map<string, LikeThis>> {
  return countByKind(await feedbackSince(sql, now_ms - LIKE_THIS_MS));
}

function countByKind(feedback: readonly FeedbackRow[]): Map<string, LikeThis> {
  const newest = new Map(feedback.filter(({ outcome }) => outcome !== 'snoozed').map((row) => [row.action_id, row]));
  const kinds = new Map<string, LikeThis>();
  for (const { action_id, outcome } of newest.values()) {
    const count = kinds.get(kindOf(action_id)) ?? { accepted: 0, answered: 0 };
    count.answered++;
    if (outcome === 'accepted') count.accepted++;
    kinds.set(kindOf(action_id), count);
  }
  return kinds;
}

export async function performanceOf(
  sql: Sql,
  now_ms: number,
  time_zone: string,
  learner: LivePolicy['learner'],
): Promise<AdvicePerformance> {
  const first_ms = addDays(dayStart(now_ms, time_zone), 1 - 7 * WEEKS, time_zone);
  const since = [first_ms];
  const feedback = await feedbackSince(sql, first_ms);
  const effects = await sql<EffectRow>(
    `select (extract(epoch from accepted_at) * 1000)::bigint as accepted_ms, amount, low, high, state, currency
     from effect where accepted_at >= to_timestamp($1 / 1000.0)`,
    since,
  );
  const shown = await sql<{ first_ms: number }>(
    `select (extract(epoch from min(at)) * 1000)::bigint as first_ms
     from decision, jsonb_array_elements(chosen) as place where at >= to_timestamp($1 / 1000.0) group by place ->> 'chosen'`,
    since,
  );
  const regrets = await regretsOf(sql, first_ms, learner);
  const weeks = Array.from({ length: WEEKS }, (_, i): AdviceWeek => {
    const from_ms = addDays(first_ms, 7 * i, time_zone);
    const to_ms = addDays(from_ms, 7, time_zone);
    const within = (at_ms: number) => at_ms >= from_ms && at_ms < to_ms;
    const own = [...countByKind(feedback.filter(({ at_ms }) => within(at_ms))).values()];
    const accepted = own.reduce((sum, one) => sum + one.accepted, 0);
    const realised = sumOfEffects(effects.filter((e) => within(e.accepted_ms)).flatMap(measuredOf));
    const lost = regrets.flatMap(({ at_ms, regret }) => (within(at_ms) ? [regret] : []));
    return {
      ...{ from_ms, accepted, shown: shown.filter((one) => within(one.first_ms)).length },
      dismissed: own.reduce((sum, one) => sum + one.answered, 0) - accepted,
      realised,
      regret: lost.length === 0 ? null : sumOf(lost)! / lost.length,
    };
  });
  return {
    currency: effects[0]?.currency ?? null,
    weeks,
    kinds: [...countByKind(feedback)].map(([kind, count]) => ({ kind, ...count })),
    realised: sumOfEffects(effects.flatMap(measuredOf)),
    waiting: effects.filter(({ state }) => state === 'waiting').length,
  };
}

type EffectRow = {
  accepted_ms: number;
  amount: number | null;
  low: number | null;
  high: number | null;
  state: string;
  currency: string;
};
const measuredOf = ({ amount, low, high }: EffectRow): RealisedSaving[] =>
  amount === null ? [] : [{ amount, low, high }];

const sumOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0);

type Regret = Pick<DecisionRow, 'site_id' | 'moment' | 'eligible' | 'chosen'> & { at_ms: number };
const MOST_DECISIONS = 200;

/** By what the policy believes today, the first place of each answered decision. */
async function regretsOf(sql: Sql, since_ms: number, learner: LivePolicy['learner']) {
  const rows = await sql<Regret>(
    `select site_id, moment, eligible, chosen, (extract(epoch from at) * 1000)::bigint as at_ms from decision
     where moment is not null and at >= to_timestamp($1 / 1000.0)
       and exists (select from reward where decision_id = decision.id) order by at desc limit $2`,
    [since_ms, MOST_DECISIONS],
  );
  const readable = rows.filter(
    ({ moment, eligible }) => moment!.length + (eligible[0]?.features.length ?? 0) === INPUTS,
  );
  return readable.map(({ site_id, moment, eligible, chosen, at_ms }) => {
    const context = { site: site_id, features: moment!, slate: 1, at_ms };
    const means = learner.estimate(context, eligible.map(candidateOf)).map(({ mean }) => mean);
    const first = eligible.findIndex(({ id }) => id === chosen[0]?.chosen);
    return { at_ms, regret: first < 0 ? 0 : Math.max(...means) - means[first]! };
  });
}
