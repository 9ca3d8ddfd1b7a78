/** Who earned what at all sites, and the figures of it. */
import { makeCalendar } from './days.ts';
import { makePeople } from './people.ts';
import { type Adviser, anyAdvice, type Earned, oracle, type Place, playOrganisation, rankBy } from './play.ts';
import { RULES, type Rule, type RuleName } from './rules.ts';
import type { SiteData } from './series.ts';
import { DAYS, makeSites, ORGANISATIONS, type Site } from './sites.ts';

/** Days of a rolling mean, and the day by which a policy should have learnt. */
const ROLLING = 14;
const LEARNT = 60;
/** A site counts as below the rule where a rolling mean is less than this share of the rule's. */
const LEAST = 0.95;

/** What each earned, a site each. */
export type Played = {
  sites: Site[];
  rule: Earned[];
  rule_name: RuleName;
  policy: Earned[];
  oracle: Earned[];
  uniform: Earned[];
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
  const all = (make: (places: readonly Place[]) => Adviser, rule: Rule) =>
    groups.flatMap((places) => playOrganisation(places, make(places), byRule(rule), seed));
  const rules = Object.entries(RULES).map(([name, rule]) => ({
    ...{ name: name as RuleName, rule },
    earned: all(() => byRule(rule), rule),
  }));
  const best = rules.reduce((a, b) => (total(b.earned) > total(a.earned) ? b : a));
  for (const { name, earned } of rules) progress(`rule ${name}: ${perDay(earned)} a day`);
  const policy = all(() => makeAdviser(best.rule), best.rule);
  progress(`policy: ${perDay(policy)} a day`);
  return {
    ...{ sites: groups.flatMap((places) => places.map(({ site }) => site)), policy },
    ...{ rule: best.earned, rule_name: best.name, oracle: all(oracle, best.rule), uniform: all(anyAdvice, best.rule) },
  };
}

export const byRule = (rule: Rule): Adviser => rankBy((turn, opportunity) => rule(opportunity, turn.eligible));

export function placesOf(data: SiteData, organisation: number): Place[] {
  return makeSites(data, [organisation]).map((site) => {
    const calendar = makeCalendar(site, data);
    return { site, calendar, people: makePeople(site, calendar) };
  });
}

export function figuresOf({ sites, policy, rule, rule_name, oracle: best, uniform }: Played) {
  const same = policy.map(({ own, by_rule }) => lowestRatios(own, by_rule));
  const apart = policy.map(({ own }, k) => lowestRatios(own, rule[k]!.own));
  const below = (ratios: readonly number[], of: (site: Site) => boolean = () => true) =>
    sites.filter((site, k) => of(site) && ratios[k]! < LEAST).length;
  const share = (count: number) => rounded((100 * count) / sites.length, 1);
  const rolling = same.map((lowest) => lowest.rolling);
  const recent = (earned: readonly Earned[]) => total(earned, LEARNT - ROLLING, LEARNT);
  return {
    ...{ sites: sites.length, flips: sites.filter(({ change }) => change?.flip).length, rule: rule_name },
    gain_vs_rule: rounded(recent(policy) / recent(rule)),
    share_of_oracle: rounded(recent(policy) / recent(best)),
    sites_below_95_pct: share(below(rolling)),
    below_95_with_change: below(rolling, ({ change }) => change !== null),
    drawn_below_95_pct: share(below(policy.map(({ drawn, by_rule }) => lowestRatios(drawn, by_rule).rolling))),
    total_below_95_pct: share(below(same.map((lowest) => lowest.total))),
    apart_below_95_pct: share(below(apart.map((lowest) => lowest.rolling))),
    oracle_apart_below_95_pct: share(below(best.map(({ own }, k) => lowestRatios(own, rule[k]!.own).rolling))),
    gain_first_60_days: rounded(total(policy, 0, LEARNT) / total(rule, 0, LEARNT)),
    gain_90_days: rounded(total(policy) / total(rule)),
    oracle_vs_rule: rounded(recent(best) / recent(rule)),
    uniform_vs_rule: rounded(recent(uniform) / recent(rule)),
  };
}

/** The worst ratio of rolling means, and of what was earned since the start from the end of the first of them on. */
export function lowestRatios(policy: Float64Array, rule: Float64Array): { rolling: number; total: number } {
  const lowest = { rolling: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY };
  for (let end = ROLLING; end <= DAYS; end++) {
    const ratio = (from: number) => sumOf(policy, from, end) / sumOf(rule, from, end);
    lowest.rolling = Math.min(lowest.rolling, ratio(end - ROLLING));
    lowest.total = Math.min(lowest.total, ratio(0));
  }
  return lowest;
}

function sumOf(days: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let day = from; day < to; day++) sum += days[day]!;
  return sum;
}

function total(earned: readonly Earned[], from = 0, to = DAYS): number {
  return earned.reduce((sum, { own }) => sum + sumOf(own, from, to), 0);
}

const perDay = (earned: readonly Earned[]): string => (total(earned) / earned.length / DAYS).toFixed(3);
const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));
