/**
 * Keeps a learner from costing more than a share of what the rule baseline earns. It starts from the rule's slate, and
 * another piece of advice takes a place only where its cautious estimate exceeds the generous one of what the rule would
 * show: mean − c · sd against mean + c · sd. What the rule shows is tried anyway, so that its doubtful picks are found
 * out; places that turn out worth nothing are free for trying what nobody knows. In the last place something uncertain
 * that may be better is tried with a small chance, as far as that is believed to cost next to nothing. After safe policy improvement
 * with baseline bootstrapping (Laroche, Trichelair, Tachet des Combes, ICML 2019); the promise is that of conservative
 * bandits (Kazerouni, Ghavamzadeh, Abbasi-Yadkori, Van Roy, NIPS 2017), and the simulated sites of the tests back it.
 */
import { mixFloor, PROPENSITY_FLOOR } from './floor.ts';
import type { EstimatingPolicy } from './linear-policy.ts';
import type { Candidate, Choice, Guard, Policy } from './port.ts';
import { drawSlate } from './slate.ts';
import { type Estimate, rule } from './strategies.ts';

export type ConservativeOptions = {
  /** Standard deviations of doubt on either side. */
  caution?: number;
  /** Chance of a trial in the last place; 0 tries nothing. */
  trials?: number;
  floor?: number;
};

export const CONSERVATIVE = { caution: 1.15, trials: 0.2 };
/** As it was shipped before; decisions of that time can be made again. */
export const FORMER_GUARD = { caution: 0.7, trials: 0 };
/** Rewards lie in 0 … 1; what the rule shows earns about 0.3. */
const NEXT_TO_NOTHING = 0.08;
/** Standard deviations that must still be below it, and answers that it takes to say so. */
const CERTAIN = 2.5;
const ENOUGH_ANSWERS = 30;
/** A trial is for what is known less well than this, and may cost this share of what the slate is worth, cautiously judged. */
const UNCERTAIN_SD = 0.12;
const TRIAL_COST = 0.03;
/** Keeps the share 0 where nothing is known of the slate. */
const LEAST_COST = 1e-9;

export function createConservativePolicy(learner: EstimatingPolicy, options: ConservativeOptions): Policy {
  const { caution = CONSERVATIVE.caution, trials = CONSERVATIVE.trials, floor = PROPENSITY_FLOOR } = options;
  const version = `cautious-${caution}${trials > 0 ? `-${trials}` : ''}(${learner.version})`;
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
        const wanted = order.find((i) => free.includes(i))!;
        const last = free.length === candidates.length - context.slate + 1;
        const trial = last ? trialBeside(wanted, free, estimates, order.slice(0, context.slate)) : null;
        const share = Math.min(trials, trial?.affordable ?? 0);
        return Float64Array.from(free, (i) => (i === wanted ? 1 - share : i === trial?.number ? share : 0));
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

/**
 * All candidates, best first; of equals what the rule prefers. The rule's picks defend their places against cautious
 * estimates; a place whose pick is worth next to nothing, however generously it is judged, is spare, and goes to whatever
 * promises most: that is where new advice is tried.
 */
function cautiousOrder(
  candidates: readonly Candidate[],
  estimates: readonly Estimate[],
  slate: ReadonlySet<number>,
  caution: number,
): number[] {
  const generous = estimates.map(({ mean, sd }) => mean + caution * sd);
  const value = estimates.map(({ mean, sd }, i) => (slate.has(i) ? generous[i]! : mean - caution * sd));
  const sorted = (numbers: readonly number[], by: readonly number[]) =>
    [...numbers].sort((a, b) => by[b]! - by[a]! || candidates[b]!.rule_score - candidates[a]!.rule_score || a - b);
  const all = candidates.map((_, i) => i);
  const spare = [...slate].filter((i) => isWorthless(estimates[i]!));
  const sound = sorted(
    all.filter((i) => !spare.includes(i)),
    value,
  );
  const defended = sound.slice(0, slate.size - spare.length);
  return [...defended, ...sorted(sound.slice(defended.length), generous), ...sorted(spare, generous)];
}

/** Of what is uncertain the one that promises most, where that is more than what is wanted; and the share it may have. */
function trialBeside(
  wanted: number,
  free: readonly number[],
  estimates: readonly Estimate[],
  shown: readonly number[],
): { number: number; affordable: number } | null {
  const promise = (i: number) => estimates[i]!.mean + estimates[i]!.sd;
  const uncertain = free.filter((i) => i !== wanted && estimates[i]!.sd >= UNCERTAIN_SD);
  if (uncertain.length === 0) return null;
  const number = uncertain.reduce((best, i) => (promise(i) > promise(best) ? i : best));
  if (promise(number) <= estimates[wanted]!.mean) return null;
  const worth = shown.reduce((sum, i) => sum + Math.max(0, estimates[i]!.mean - estimates[i]!.sd), 0);
  const cost = estimates[wanted]!.mean - estimates[number]!.mean;
  return { number, affordable: (TRIAL_COST * worth) / Math.max(TRIAL_COST * worth + LEAST_COST, cost) };
}

function isWorthless({ mean, sd, answers }: Estimate): boolean {
  return answers >= ENOUGH_ANSWERS && mean + CERTAIN * sd < NEXT_TO_NOTHING;
}
