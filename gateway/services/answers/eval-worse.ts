/** Whether the answers of an organisation got worse, and the alert that says so. */
import type { AlertService } from '../../services.ts';
import type { EvalResult } from './evaluate.ts';

type Measure = 'right_pct' | 'grounding_pct' | 'unsupported_pct' | 'abstained_pct';
/** Names under which pages tell the measure. */
export type Worse = { figure: string; before_pct: number; now_pct: number };

/** Points that a measure may lose against the best of the last results; one question in twenty is five. */
const RULES: readonly { measure: Measure; figure: string; more_is_better: boolean; points: number }[] = [
  { measure: 'unsupported_pct', figure: 'unsupported', more_is_better: false, points: 0.9 },
  { measure: 'grounding_pct', figure: 'grounding', more_is_better: true, points: 7.5 },
  { measure: 'right_pct', figure: 'answered_correct', more_is_better: true, points: 10 },
  { measure: 'abstained_pct', figure: 'abstain_rate', more_is_better: false, points: 15 },
];
const QUOTES = 'extractive';

/**
 * The first measure that fell, against the best of earlier results of the same questions. A language model is held
 * against whichever answered before, a change of model being the usual reason; quotes only against quotes, so that an
 * Ollama that is away for a night is no fall.
 */
export function worseThan(now: EvalResult, earlier: readonly EvalResult[]): Worse | null {
  const isQuotes = (one: EvalResult) => one.model_version === QUOTES;
  const same = earlier.filter((one) => one.question_set === now.question_set && isQuotes(one) === isQuotes(now));
  for (const { measure, figure, more_is_better, points } of RULES) {
    const value = now[measure];
    const known = same.flatMap((one) => one[measure] ?? []);
    if (value === null || known.length === 0) continue;
    const best = more_is_better ? Math.max(...known) : Math.min(...known);
    if ((more_is_better ? best - value : value - best) > points) return { figure, before_pct: best, now_pct: value };
  }
  return null;
}

/** @param earlier before `now`, newest first */
export async function tellOfWorse(
  alerts: Pick<AlertService, 'raise' | 'clear'>,
  tenant: string,
  now: EvalResult,
  earlier: readonly EvalResult[],
): Promise<void> {
  // Nothing was asked: that says nothing.
  if (now.questions === 0) return;
  const worse = worseThan(now, earlier);
  const object = now.model_version === QUOTES ? QUOTES : 'model';
  if (!worse) return alerts.clear(tenant, 'answers_worse', object);
  const { figure, before_pct, now_pct } = worse;
  const detail = { name: now.model_version, figure, before_percent: before_pct, now_percent: now_pct };
  await alerts.raise(tenant, 'answers_worse', object, 'warning', detail);
}
