import { describe, expect, it } from 'vitest';
import { tellOfWorse, worseThan } from '../../../gateway/services/answers/eval-worse.ts';
import type { EvalResult } from '../../../gateway/services/answers/evaluate.ts';

const result = (more: Partial<EvalResult> = {}): EvalResult => ({
  ...{ id: 1, at: new Date(0), model_version: 'llama3.1:8b@aaaa', question_set: 'golden', questions: 20, answered: 16 },
  ...{ grounding_pct: 95, unsupported_pct: 0, abstained_pct: 20, right_pct: 90, p95_ms: 100 },
  ...more,
});
const quotes = (more: Partial<EvalResult> = {}) => result({ model_version: 'extractive', ...more });

describe('a fall of measured answers', () => {
  it.each([
    ['the same', result(), null],
    ['one question of twenty', result({ right_pct: 85, abstained_pct: 25, grounding_pct: 90 }), null],
    ['wrong sections', result({ right_pct: 75 }), 'answered_correct'],
    ['sentences that do not hold', result({ unsupported_pct: 1 }), 'unsupported'],
    ['more claims that are dropped', result({ grounding_pct: 80 }), 'grounding'],
    ['silence', result({ abstained_pct: 60 }), 'abstain_rate'],
    ['another model that is worse', result({ model_version: 'tiny@bbbb', right_pct: 50 }), 'answered_correct'],
    ['quotes, while the model is away', quotes({ right_pct: 50 }), null],
    ['other questions', result({ question_set: 'headings', right_pct: 50 }), null],
    ['nothing answered', result({ right_pct: null, grounding_pct: null, unsupported_pct: null }), null],
  ])('%s', (_, now, figure) => {
    expect(worseThan(now, [result({ right_pct: 70 }), result()])?.figure ?? null).toBe(figure);
  });

  it('stays told while the answers stay worse, and is taken back when they recover', async () => {
    const told: unknown[][] = [];
    const alerts = {
      raise: async (...given: unknown[]) => void told.push(['raise', ...given]),
      clear: async (...given: unknown[]) => void told.push(['clear', ...given]),
    };
    const nights = [quotes(), quotes({ right_pct: 60 }), quotes({ right_pct: 60 }), quotes({ right_pct: 88 })];
    for (const [i, night] of nights.entries()) await tellOfWorse(alerts, 't', night, nights.slice(0, i).reverse());
    await tellOfWorse(alerts, 't', quotes({ questions: 0, right_pct: null }), nights);
    expect(told.map(([what, , kind, object]) => `${what} ${kind} ${object}`)).toEqual([
      'clear answers_worse extractive',
      'raise answers_worse extractive',
      'raise answers_worse extractive',
      'clear answers_worse extractive',
    ]);
    expect(told[1]?.[5]).toEqual({
      ...{ name: 'extractive', figure: 'answered_correct', before_percent: 90, now_percent: 60 },
    });
  });
});
