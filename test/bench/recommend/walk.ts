/** The catalogue and the shipped policy over contexts as a hostile world would make them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRandom } from '../../../engine/random.ts';
import { createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import type { Policy } from '../../../recommender/bandit/port.ts';
import { proposeActions } from '../../../recommender/catalogue/catalogue.ts';
import { candidateOf, INPUTS, momentFeatures, SLATE } from '../../../recommender/moment.ts';
import { isFeasible } from '../../recommender/feasibility.ts';
import { fuzzContext } from '../../recommender/fuzz-context.ts';

type Walk = { seed: number; done: number; chosen: number; infeasible: number };
/** Contexts of one seed; a stopped run goes on after the last whole part. */
const PART = 10_000;
const DAY_MS = 86_400_000;

/** @param file where a run that is stopped can go on; nowhere where it is left out. */
export function countInfeasible(
  seed: number,
  contexts: number,
  { file, progress = () => {} }: { file?: string | undefined; progress?: (line: string) => void } = {},
): Walk {
  let walk: Walk = { seed, done: 0, chosen: 0, infeasible: 0 };
  if (file && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Walk;
    if (kept.seed === seed && kept.done <= contexts) walk = kept;
  }
  while (walk.done < contexts) {
    const count = Math.min(PART, contexts - walk.done);
    const found = walkPart(seed * 1_000_003 + walk.done, count);
    walk = {
      seed,
      done: walk.done + count,
      chosen: walk.chosen + found.chosen,
      infeasible: walk.infeasible + found.infeasible,
    };
    if (file) writeFileSync(file, JSON.stringify(walk));
    progress(`${walk.done} contexts: ${walk.chosen} pieces of advice, ${walk.infeasible} infeasible`);
  }
  return walk;
}

function walkPart(seed: number, count: number): { chosen: number; infeasible: number } {
  const random = createRandom(seed);
  const policy = createShippedPolicy(INPUTS);
  let [chosen, infeasible] = [0, 0];
  for (let n = 0; n < count; n++) {
    const context = fuzzContext(random);
    const actions = proposeActions(context);
    if (actions.length === 0) continue;
    const features = momentFeatures(context);
    const asked = { site: `site ${n % 5}`, features, slate: SLATE, at_ms: n * 0.01 * DAY_MS };
    const { positions } = policy.decide(asked, actions.map(candidateOf), random);
    for (const position of positions) {
      const action = actions.find(({ id }) => id === position.chosen)!;
      chosen++;
      if (!isFeasible(action, context)) infeasible++;
      if (random() < 0.02) answer(policy, asked, candidateOf(action), random() < 0.4 ? 0.75 : 0);
    }
  }
  return { chosen, infeasible };
}

function answer(
  policy: Policy,
  { site, features, at_ms }: { site: string; features: number[]; at_ms: number },
  candidate: ReturnType<typeof candidateOf>,
  reward: number,
): void {
  const { arm, features: own, rule_score } = candidate;
  policy.update([{ site, context: features, arm, features: own, rule_score, reward, at_ms }]);
}
