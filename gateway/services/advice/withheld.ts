/** Which advice may not come back yet, and how much of what is possible fits into today's budget. Pure. */
import type { Action } from '../../../recommender/action.ts';
import { WORTH_REPEATING } from '../../../recommender/catalogue/catalogue.ts';
import { ruleScore, SLATE } from '../../../recommender/moment.ts';
import type { FeedbackRow } from './rows.ts';

const SNOOZE_MS = 2 * 3_600_000;
/** What was accepted is being done; if it is still there after that, it may be said again. */
const DONE_MS = 7 * 86_400_000;
/** Read, confirmed or looked at once is enough. */
const ONCE: ReadonlySet<string> = new Set(['read_passage', 'confirm_repair']);

/**
 * By id the stake from which advice may be shown again: what was dismissed waits until half as much again is at stake,
 * however long that takes; what was snoozed waits two hours.
 * @param feedback oldest first.
 */
export function withheldFrom(feedback: readonly FeedbackRow[], now_ms: number): Map<string, number> {
  const newest = new Map(feedback.map((row) => [row.action_id, row]));
  const withheld = new Map<string, number>();
  for (const { action_id, outcome, at_ms, stake } of newest.values()) {
    const age_ms = now_ms - at_ms;
    if (outcome === 'snoozed' && age_ms < SNOOZE_MS) withheld.set(action_id, Number.POSITIVE_INFINITY);
    if (outcome === 'accepted' && (age_ms < DONE_MS || ONCE.has(kindOf(action_id))))
      withheld.set(action_id, Number.POSITIVE_INFINITY);
    if (outcome === 'dismissed')
      withheld.set(action_id, stake === null ? Number.POSITIVE_INFINITY : stake * WORTH_REPEATING);
  }
  return withheld;
}

/** Ids begin with their kind. */
export function kindOf(action_id: string): string {
  return action_id.split(':', 1)[0]!;
}

/**
 * At most `per_day` different pieces of advice a day: what was shown today may stay, of the rest only as many may come
 * as are left, those first that the plain rule would show; so no draw can exceed the budget.
 */
export function withinBudget(eligible: readonly Action[], shown_today: ReadonlySet<string>, per_day: number): Action[] {
  const left = Math.max(0, per_day - shown_today.size);
  const fresh = eligible.filter(({ id }) => !shown_today.has(id)).sort((a, b) => ruleScore(b) - ruleScore(a));
  const masked = new Set(fresh.slice(left).map(({ id }) => id));
  return left >= SLATE ? [...eligible] : eligible.filter(({ id }) => !masked.has(id));
}
