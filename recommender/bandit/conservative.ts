/**
 * Keeps a learner from costing more than a share of what the rule baseline earns, after Kazerouni, Ghavamzadeh,
 * Abbasi-Yadkori, Van Roy, "Conservative contextual linear bandits" (NIPS 2017). A decision is left to the learner only
 * where what was gained so far, less its uncertainty, pays for the worst that this decision may cost; otherwise the
 * rule decides. Unlike there the bounds are those of the learner's posterior and of the rewards seen, which are far
 * narrower than uniform ones; the simulation in the tests is what backs the promise. Silence counts neither way.
 */
import { InvalidDataError } from '../../engine/errors.ts';
import { mixFloor, PROPENSITY_FLOOR } from './floor.ts';
import type { EstimatingPolicy } from './linear-policy.ts';
import type { Choice, DecisionContext, Guard, Outcome, Policy, PolicySnapshot } from './port.ts';
import { drawSlate } from './slate.ts';
import { type Estimate, rule, type Strategy } from './strategies.ts';

export type ConservativeOptions = {
  /** How the learner turns estimates into chances: the strategy it was made with. */
  strategy: Strategy;
  /** Share of the baseline's reward that may be lost while learning. */
  share: number;
  /** Standard errors that every bound keeps. */
  caution: number;
  /** Answers after which an old gain or loss counts for a third: what was earned in spring is not spent in autumn. */
  memory: number;
  floor?: number;
};

/** A handful of answers that happen to be alike look like certainty. */
const FEWEST_ANSWERS = 10;

/** Gains over (1 − share) of the rule, a site: their sum, the sum of their variances, and how many there were. */
type Account = { gained: number; variance: number; answers: number; squares: number };

export const CONSERVATIVE: Omit<ConservativeOptions, 'strategy'> = { share: 0.05, caution: 2.6, memory: 300 };

export function createConservativePolicy(learner: EstimatingPolicy, options: ConservativeOptions): Policy {
  const { strategy, share, caution, memory, floor = PROPENSITY_FLOOR } = options;
  const version = `conservative-${share}-${caution}-${memory}(${learner.version})`;
  const byRule = rule();
  let accounts = new Map<string, Account>();

  return {
    version,
    stateHash: () => learner.stateHash(),
    decide(context, candidates, random): Choice {
      if (candidates.length === 0) return { policy: version, positions: [] };
      const estimates = learner.estimate(context, candidates);
      const [guard, chosen] = judge(context, estimates);
      const positions = drawSlate(
        candidates,
        context.slate,
        (free) =>
          chosen(
            free.map((i) => estimates[i]!),
            accounts.get(context.site)?.answers ?? 0,
          ),
        random,
        floor,
      );
      return { policy: version, positions: positions.map((position) => ({ ...position, guard })) };
    },
    update(outcomes) {
      learner.update(outcomes);
      for (const outcome of outcomes) settle(outcome);
    },
    snapshot() {
      const { state } = learner.snapshot();
      return { policy: version, state: JSON.stringify({ accounts: [...accounts], learner: state }) };
    },
    restore(snapshot: PolicySnapshot) {
      if (snapshot.policy !== version)
        throw new InvalidDataError(`The state is of ${snapshot.policy}, this is ${version}.`, 'Learn it from the log.');
      const stored = JSON.parse(snapshot.state) as { accounts: [string, Account][]; learner: string };
      learner.restore({ policy: learner.version, state: stored.learner });
      accounts = new Map(stored.accounts);
    },
  };

  /** Whether the learner may decide, and what its reward will be measured against. */
  function judge(context: DecisionContext, estimates: readonly Estimate[]): [Guard, Strategy] {
    const ofRule = mixFloor(byRule(estimates, 0), floor);
    const account = accounts.get(context.site);
    const ofLearner = mixFloor(strategy(estimates, account?.answers ?? 0), floor);
    const { mean, variance } = combine(ofRule, estimates);
    const loss = combine(
      ofRule.map((p, i) => (1 - share) * p - ofLearner[i]!),
      estimates,
    );
    const worst = loss.mean + caution * Math.sqrt(loss.variance);
    const saved = account ? account.gained - caution * Math.sqrt(account.variance) : 0;
    const deviated = account !== undefined && account.answers >= FEWEST_ANSWERS && saved >= worst;
    return [{ deviated, rule_mean: mean, rule_variance: variance }, deviated ? strategy : byRule];
  }

  function settle({ site, reward, guard }: Outcome): void {
    if (reward === null || !guard) return;
    const account = accounts.get(site) ?? { gained: 0, variance: 0, answers: 0, squares: 0 };
    const kept = Math.exp(-1 / memory);
    account.gained *= kept;
    account.variance *= kept * kept;
    account.answers++;
    account.squares += reward * reward;
    const spread = account.squares / account.answers;
    if (guard.deviated) {
      account.gained += reward - (1 - share) * guard.rule_mean;
      account.variance += spread / 4 + (1 - share) ** 2 * guard.rule_variance;
    } else {
      account.gained += share * reward;
      account.variance += (share ** 2 * spread) / 4;
    }
    accounts.set(site, account);
  }
}

/** Mean and variance of Σ factor · reward, the actions' errors taken as independent. */
function combine(factors: Float64Array, estimates: readonly Estimate[]): { mean: number; variance: number } {
  let mean = 0;
  let variance = 0;
  for (const [i, estimate] of estimates.entries()) {
    mean += factors[i]! * estimate.mean;
    variance += (factors[i]! * estimate.sd) ** 2;
  }
  return { mean, variance };
}
