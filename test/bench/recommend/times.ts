/** Times of one decision and of one reward at a site that has learnt, with the largest context that is promised. */

import { createRandom, type Random } from '../../../engine/random.ts';
import { createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import type { Candidate, Outcome } from '../../../recommender/bandit/port.ts';

const MOMENT = 32;
const OWN = 32;
const ACTIONS = 50;
const KINDS = 13;
const SLATE = 3;
const SITE = 'site';

/** What the thread computed, whatever else the machine does. */
const cpu_ms = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Times in ms; `state_MB` is what a snapshot of a site and of all sites together takes. */
export function measureTimes(seed: number, rounds: number) {
  const random = createRandom(seed);
  const policy = createShippedPolicy(MOMENT + OWN);
  const numbers = (count: number) => Array.from({ length: count }, () => 2 * random() - 1);
  const deciding: number[] = [];
  const learning: number[] = [];
  const decidingCpu: number[] = [];
  const learningCpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const features = numbers(MOMENT);
    const candidates = Array.from({ length: ACTIONS }, (_, i) => candidate(i, numbers(OWN), random));
    const asked = { site: SITE, features, slate: SLATE, at_ms: round * 3_600_000 };
    const [before_ms, before_cpu_ms] = [performance.now(), cpu_ms()];
    const { positions } = policy.decide(asked, candidates, random);
    deciding.push(performance.now() - before_ms);
    decidingCpu.push(cpu_ms() - before_cpu_ms);
    const { arm, features: own, rule_score } = candidates.find(({ id }) => id === positions[0]!.chosen)!;
    const outcome: Outcome = { site: SITE, context: features, arm, features: own, rule_score, reward: random() };
    const [from_ms, from_cpu_ms] = [performance.now(), cpu_ms()];
    policy.update([{ ...outcome, at_ms: asked.at_ms }]);
    learning.push(performance.now() - from_ms);
    learningCpu.push(cpu_ms() - from_cpu_ms);
  }
  return {
    p95_ms: at(deciding, 0.95),
    update_p95_ms: at(learning, 0.95),
    p95_cpu_ms: at(decidingCpu, 0.95),
    update_p95_cpu_ms: at(learningCpu, 0.95),
    median_ms: at(deciding, 0.5),
    update_median_ms: at(learning, 0.5),
    update_max_ms: at(learning, 1),
    state_MB: Number((policy.snapshot().state.length / 1e6).toFixed(2)),
  };
}

function candidate(i: number, features: number[], random: Random): Candidate {
  return { id: `action ${i}`, arm: `kind ${i % KINDS}`, features, rule_score: random() };
}

/** The first tenth is left out: the machine code is not made yet. */
function at(times: readonly number[], share: number): number {
  const sorted = times.slice(Math.floor(times.length / 10)).sort((a, b) => a - b);
  return Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(2));
}
