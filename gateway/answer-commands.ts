/** `luna eval answers`: asks the questions of an organisation and keeps how good the answers were. */
import type { CommandResult } from './control.ts';
import type { Actor, Services } from './services.ts';

export async function evaluateAnswers({ answers }: Services, { tenant }: Actor): Promise<CommandResult> {
  const result = await answers.evaluate(tenant);
  const percent = (value: number | null) => (value === null ? '–' : `${value.toFixed(1)} %`);
  const { model_version, question_set, questions, answered, grounding_pct, unsupported_pct, abstained_pct } = result;
  const text = `${model_version}, ${question_set}: ${questions} questions, ${answered} answered, grounding ${percent(grounding_pct)}, unsupported ${percent(unsupported_pct)}, abstained ${percent(abstained_pct)}, right section ${percent(result.right_pct)}, p95 ${result.p95_ms} ms`;
  return { text, json: { ...result } };
}
