/** What could be advised now: every kind is asked, what is infeasible or withheld is masked, the rest gets its features. */
import type { Action, AdviceContext } from '../action.ts';
import { actionFeatures } from '../moment.ts';
import { KINDS } from './kinds.ts';
import { infeasibleBecause } from './mask.ts';

/** Dismissed advice comes back when this much more is at stake. */
export const WORTH_REPEATING = 1.5;

/**
 * @param withheld by id the stake from which advice may be shown again; Infinity keeps it away whatever it is worth.
 * @returns every action that is eligible now, each id once. Pure.
 */
export function proposeActions(context: AdviceContext, withheld: ReadonlyMap<string, number> = new Map()): Action[] {
  const seen = new Set<string>();
  return KINDS.flatMap(({ effort_min, eligible }) =>
    eligible(context).flatMap((draft) => {
      const least = withheld.get(draft.id);
      const hidden = least !== undefined && !(draft.stake >= least);
      if (hidden || seen.has(draft.id) || infeasibleBecause(draft, context).length > 0) return [];
      seen.add(draft.id);
      const action = { ...draft, effort_min };
      return [{ ...action, features: actionFeatures(action, context) }];
    }),
  );
}
