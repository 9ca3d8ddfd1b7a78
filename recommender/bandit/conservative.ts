/**
 * Keeps a learner from costing more than a share of what the rule baseline earns. It starts from the rule's slate, and
 * another piece of advice takes a place only where its cautious estimate exceeds the generous one of what the rule would
 * show: mean − c · sd against mean + c · sd. What the rule shows is tried anyway, so that its doubtful picks are found
 * out; what nobody has tried comes in where the rule's turned out worse than it can be. After safe policy improvement
 * with baseline bootstrapping (Laroche, Trichelair, Tachet des Combes, ICML 2019); the promise is that of conservative
 * bandits (Kazerouni, Ghavamzadeh, Abbasi-Yadkori, Van Roy, NIPS 2017), and the simulated sites of the tests back it.
 */
import { mixFloor, PROPENSITY_FLOOR } from './floor.ts';
import type { EstimatingPolicy } from './linear-policy.ts';
import type { Candidate, Choice, Guard, Policy } from './port.ts';
import { drawSlate } from './slate.ts';
import { type Estimate, rule, type Strategy } from './strategies.ts';

export type ConservativeOptions = {
  /** Not needed any more: where the rule prefers nothing the learner decides by its own. */
  strategy?: Strategy;
  /** Standard deviations of doubt on either side. */
  caution?: number;
  floor?: number;
};

export const CONSERVATIVE = { caution: 0.7 };

export function createConservativePolicy(learner: EstimatingPolicy, options: ConservativeOptions): Policy {
  const { caution = CONSERVATIVE.caution, floor = PROPENSITY_FLOOR } = options;
  const version = `cautious-${caution}(${learner.version})`;
  const byRule = rule();

  return {
    version,
    stateHash: () => learner.stateHash(),
    decide(context, candidates, random): Choice {
      const estimates = learner.estimate(context, candidates);
      const ruled = candidates.some(({ rule_score }) => rule_score !== candidates[0]!.rule_score);
      if (!ruled) {
        const { positions } = learner.decide(context, candidates, random);
        return { policy: version, positions };
      }
      const slate = ruleSlate(candidates, context.slate);
      const order = cautiousOrder(candidates, estimates, slate, caution);
      const first = (free: readonly number[]) => {
        const wanted = order.find((i) => free.includes(i));
        return Float64Array.from(free, (i) => Number(i === wanted));
      };
      const places = drawSlate(candidates, context.slate, first, random, floor);
      const deviated = order.slice(0, context.slate).some((i) => !slate.has(i));
      const guard = { deviated, ...ofRule(estimates) };
      return { policy: version, positions: places.map((place) => ({ ...place, guard })) };
    },
    update: (outcomes) => learner.update(outcomes),
    snapshot: () => ({ policy: version, state: learner.snapshot().state }),
    restore({ policy, state }) {
      learner.restore({ policy: policy === version ? learner.version : policy, state });
    },
  };

  /** What is believed of the rule's first choice, floor included. */
  function ofRule(estimates: readonly Estimate[]): Omit<Guard, 'deviated'> {
    const chances = mixFloor(byRule(estimates, 0), floor);
    let [rule_mean, rule_variance] = [0, 0];
    for (const [i, { mean, sd }] of estimates.entries()) {
      rule_mean += chances[i]! * mean;
      rule_variance += (chances[i]! * sd) ** 2;
    }
    return { rule_mean, rule_variance };
  }
}

/** Numbers of the candidates that the rule would show; of equals the earlier. */
function ruleSlate(candidates: readonly Candidate[], places: number): Set<number> {
  const order = candidates.map((_, i) => i).sort((a, b) => candidates[b]!.rule_score - candidates[a]!.rule_score);
  return new Set(order.slice(0, places));
}

/** All candidates, best first; of equals what the rule prefers. */
function cautiousOrder(
  candidates: readonly Candidate[],
  estimates: readonly Estimate[],
  slate: ReadonlySet<number>,
  caution: number,
): number[] {
  const value = estimates.map(({ mean, sd }, i) => mean + (slate.has(i) ? caution : -caution) * sd);
  return candidates
    .map((_, i) => i)
    .sort((a, b) => value[b]! - value[a]! || candidates[b]!.rule_score - candidates[a]!.rule_score || a - b);
}
