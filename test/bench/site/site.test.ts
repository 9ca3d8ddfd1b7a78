/** A sample of the bench `bandit-site`: some organisations of the tuning half. The data stay outside the repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDefaultPolicy, createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import { LOADS } from '../meter-data.ts';
import { advised, CANDIDATE_FEATURES, CONTEXT_FEATURES } from './adviser.ts';
import { type Adviser, type Earned, oracle, type Place, playOrganisation } from './play.ts';
import { RULES, type Rule } from './rules.ts';
import { byRule, lowestRatios, placesOf } from './score.ts';
import { loadSiteData } from './series.ts';
import { DAYS } from './sites.ts';

const data = process.env.LUNA_BENCH_DATA ?? '../shared/data';
const ORGANISATIONS = [0, 1, 4, 7];
const rule = RULES.by_saving;

describe.skipIf(!existsSync(join(data, LOADS)))('advice at simulated sites with real loads and prices', () => {
  let groups: Place[][] = [];
  beforeAll(() => {
    const loaded = loadSiteData(data);
    groups = ORGANISATIONS.map((organisation) => placesOf(loaded, organisation));
  }, 120_000);

  const play = (make: (places: readonly Place[]) => Adviser): Earned[] =>
    groups.flatMap((places) => playOrganisation(places, make(places), byRule(rule)));
  const shipped = () => advised(createShippedPolicy(CONTEXT_FEATURES + CANDIDATE_FEATURES), rule);
  const total = (earned: readonly Earned[]) => earned.reduce((sum, { own }) => sum + own.reduce((a, b) => a + b, 0), 0);

  it('the shipped policy earns more than the rule while it learns, and less than perfect knowledge', () => {
    const [policy, ruled, best] = [total(play(shipped)), total(play(() => byRule(rule))), total(play(oracle))];
    expect(policy).toBeGreaterThan(1.1 * ruled);
    expect(policy).toBeLessThan(best);
  }, 120_000);

  it('all sites together earn at least 95 % of the rule in any two weeks, reward flips included', () => {
    expect(groups.flat().some(({ site }) => site.change?.flip)).toBe(true);
    const earned = play(shipped);
    const sum = (of: (one: Earned) => Float64Array) =>
      Float64Array.from({ length: DAYS }, (_, day) => earned.reduce((all, one) => all + of(one)[day]!, 0));
    const together = lowestRatios(
      sum(({ own }) => own),
      sum(({ by_rule }) => by_rule),
    );
    expect(together.rolling).toBeGreaterThan(0.95);
    expect(together.total).toBeGreaterThan(0.95);
  }, 120_000);

  it('the guard keeps sites from falling below 95 % of the rule in two weeks, reward flips included', () => {
    const below = (make: () => Adviser) =>
      play(make).filter((one) => lowestRatios(one.own, one.by_rule).rolling < 0.95);
    const bare = () => advised(createDefaultPolicy(CONTEXT_FEATURES + CANDIDATE_FEATURES), rule);
    const [guarded, unguarded] = [below(shipped).length, below(bare).length];
    expect(guarded).toBeLessThanOrEqual(3);
    expect(unguarded).toBeGreaterThan(2 * guarded);
  }, 120_000);

  it('a rule against itself is always at 1, and perfect knowledge is never below', () => {
    for (const { own, by_rule } of play(() => byRule(rule))) expect([...own]).toEqual([...by_rule]);
    for (const { own, by_rule } of play(oracle)) expect(lowestRatios(own, by_rule).rolling).toBeGreaterThan(0.99);
  }, 120_000);

  it('is the same world for everybody: the same play twice is equal bit for bit', () => {
    const places = groups[0]!;
    const once = () => playOrganisation(places, shipped(), byRule(rule as Rule)).map(({ own }) => [...own]);
    expect(once()).toEqual(once());
  }, 120_000);
});
