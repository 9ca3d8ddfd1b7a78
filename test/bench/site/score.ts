/** Who earned what at all sites, and the figures of it. */
import { makeCalendar } from './days.ts';
import { makePeople } from './people.ts';
import { type Adviser, anyAdvice, oracle, type Place, playOrganisation, rankBy } from './play.ts';
import { RULES, type Rule, type RuleName } from './rules.ts';
import type { SiteData } from './series.ts';
import { DAYS, makeSites, ORGANISATIONS, type Site } from './sites.ts';

/** Days of a rolling mean, and the day by which a policy should have learnt. */
const ROLLING = 14;
const LEARNT = 60;
/** A site counts as below the rule where a rolling mean is less than this share of the rule's. */
const LEAST = 0.95;

/** Expected rewards by day, an array a site. */
export type Played = {
  sites: Site[];
  rule: Float64Array[];
  rule_name: RuleName;
  policy: Float64Array[];
  oracle: Float64Array[];
  uniform: Float64Array[];
};
export type Half = 'tuning' | 'final';

export function organisationsOf(half: Half): number[] {
  const first = half === 'tuning' ? 0 : ORGANISATIONS / 2;
  return Array.from({ length: ORGANISATIONS / 2 }, (_, k) => first + k);
}

/** @param seed of the policy's own chance; the world is the same for every seed. */
export function playAll(
  data: SiteData,
  half: Half,
  seed: number,
  makeAdviser: (rule: Rule) => Adviser,
  progress: (line: string) => void = () => {},
): Played {
  const groups = organisationsOf(half).map((organisation) => placesOf(data, organisation));
  const all = (make: (places: readonly Place[]) => Adviser) =>
    groups.flatMap((places) => playOrganisation(places, make(places), seed));
  const rules = Object.entries(RULES).map(([name, rule]) => ({
    ...{ name: name as RuleName, rule },
    earned: all(() => rankBy((turn, opportunity) => rule(opportunity, turn.eligible))),
  }));
  const best = rules.reduce((a, b) => (total(b.earned) > total(a.earned) ? b : a));
  for (const { name, earned } of rules) progress(`rule ${name}: ${perDay(earned)} a day`);
  const policy = all(() => makeAdviser(best.rule));
  progress(`policy: ${perDay(policy)} a day`);
  return {
    ...{ sites: groups.flatMap((places) => places.map(({ site }) => site)), policy },
    ...{ rule: best.earned, rule_name: best.name, oracle: all(oracle), uniform: all(anyAdvice) },
  };
}

export function placesOf(data: SiteData, organisation: number): Place[] {
  return makeSites(data, [organisation]).map((site) => {
    const calendar = makeCalendar(site, data);
    return { site, calendar, people: makePeople(site, calendar) };
  });
}

export function figuresOf({ sites, policy, rule, rule_name, oracle: best, uniform }: Played) {
  const lowest = sites.map((_, k) => lowestRolling(policy[k]!, rule[k]!));
  const below = (of: (site: Site) => boolean) => sites.filter((site, k) => of(site) && lowest[k]! < LEAST).length;
  const recent = (earned: readonly Float64Array[]) => total(earned, LEARNT - ROLLING, LEARNT);
  return {
    ...{ sites: sites.length, flips: sites.filter(({ change }) => change?.flip).length, rule: rule_name },
    gain_vs_rule: rounded(recent(policy) / recent(rule)),
    share_of_oracle: rounded(recent(policy) / recent(best)),
    sites_below_95_pct: rounded((100 * below(() => true)) / sites.length, 1),
    sites_below_95_with_flip: below(({ change }) => change !== null),
    sites_below_95_total_reward: sites.filter((_, k) => lowestTotal(policy[k]!, rule[k]!) < LEAST).length,
    gain_first_60_days: rounded(total(policy, 0, LEARNT) / total(rule, 0, LEARNT)),
    gain_90_days: rounded(total(policy) / total(rule)),
    oracle_vs_rule: rounded(recent(best) / recent(rule)),
    uniform_vs_rule: rounded(recent(uniform) / recent(rule)),
  };
}

/** The worst ratio of rolling means. */
function lowestRolling(policy: Float64Array, rule: Float64Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let end = ROLLING; end <= DAYS; end++)
    lowest = Math.min(lowest, total([policy], end - ROLLING, end) / total([rule], end - ROLLING, end));
  return lowest;
}

/** The worst ratio of what was earned since the start, from the end of the first rolling mean on. */
function lowestTotal(policy: Float64Array, rule: Float64Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let end = ROLLING; end <= DAYS; end++)
    lowest = Math.min(lowest, total([policy], 0, end) / total([rule], 0, end));
  return lowest;
}

function total(earned: readonly Float64Array[], from = 0, to = DAYS): number {
  let sum = 0;
  for (const days of earned) for (let day = from; day < to; day++) sum += days[day]!;
  return sum;
}

const perDay = (earned: readonly Float64Array[]): string => (total(earned) / earned.length / DAYS).toFixed(3);
const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));
