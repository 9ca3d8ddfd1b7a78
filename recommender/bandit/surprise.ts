/**
 * Notices that a site's answers no longer follow from what is believed of it: a cumulative sum of log likelihood ratios
 * (Page, "Continuous inspection schemes", Biometrika 1954) of accepted and dismissed, "likes and dislikes have changed
 * places" against "as believed".
 */

export type Surprise = {
  /** Evidence for a change since it last spoke against one. */
  evidence: number;
  /** Rewards above 0 and their sum: what an accepted piece of advice earns. */
  accepted: number;
  earned: number;
};

/** Before anything was seen: an accepted one earns 0.75; worth so many. */
const USUAL = { accepted: 5, earned: 3.75 };
/** Share of answers that say yes, around which likes and dislikes are mirrored. */
const MIDDLE = 0.4;
const LEAST = 0.08;
const MOST = 0.9;

export const createSurprise = (): Surprise => ({ evidence: 0, ...USUAL });

/**
 * Takes an answer in.
 * @param mean the reward that was expected of it.
 * @returns whether the evidence has reached `limit` (log of the odds); it then begins anew.
 */
export function surprised(state: Surprise, mean: number, reward: number, limit: number): boolean {
  const believed = within((mean * state.accepted) / state.earned);
  const otherwise = within(2 * MIDDLE - believed);
  const yes = reward > 0;
  state.evidence += yes ? Math.log(otherwise / believed) : Math.log((1 - otherwise) / (1 - believed));
  state.evidence = Math.max(0, state.evidence);
  if (yes) {
    state.accepted++;
    state.earned += reward;
  }
  if (state.evidence < limit) return false;
  state.evidence = 0;
  return true;
}

const within = (chance: number): number => Math.min(MOST, Math.max(LEAST, chance));
