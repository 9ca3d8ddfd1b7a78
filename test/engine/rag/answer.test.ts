import { describe, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { Passage } from '../../../engine/ports.ts';
import { type Evidence, findEvidence, mergeHits, type Weights } from '../../../engine/rag/answer.ts';
import { readQuestion, searchTexts } from '../../../engine/rag/question.ts';
import { sentencesOf } from '../../../engine/rag/sentences.ts';
import { createAnalyzers } from '../../../engine/rag/terms.ts';
import { createFinding, type Finding } from '../../bench/answers/finding.ts';
import { passage } from '../../contracts/passages.ts';
import { openLaws, TENANT } from './laws.ts';
import {
  ANSWERABLE,
  type AnswerableQuestion,
  HELD_OUT_ANSWERABLE,
  HELD_OUT_UNANSWERABLE,
  UNANSWERABLE,
} from './questions.ts';

const analyzers = createAnalyzers();
type Laws = Awaited<ReturnType<typeof openLaws>>;
type Index = ReturnType<typeof createEmbeddedPassages>;
const findings = new WeakMap<Index, Finding>();
async function evidenceFor(index: Index, text: string, tenant = TENANT): Promise<Evidence[]> {
  const question = readQuestion(text, analyzers);
  const found = findings.get(index) ?? createFinding(index);
  findings.set(index, found);
  const hits = mergeHits(await Promise.all(searchTexts(question).map((query) => found.search(tenant, query, 40))));
  const weights: Weights = {};
  for (const language of ['en', 'de'] as const) {
    const words = question.terms[language].map(({ word }) => word);
    weights[language] = (await found.rarity?.(tenant, words, language)) ?? [];
    weights.otherwise = {
      ...weights.otherwise,
      [language]: (await found.otherwise?.(tenant, text, language)) ?? [],
    };
  }
  return findEvidence(question, hits, weights, analyzers);
}

const data = process.env.LUNA_BENCH_DATA;

describe('answers from German laws and EU acts', () => {
  /** Shares of rightly answered and rightly abstained questions; every quote is held against the text. */
  async function measure(laws: Laws, answerable: readonly AnswerableQuestion[], unanswerable: readonly string[]) {
    const wrong: string[] = [];
    for (const { question, says } of answerable) {
      const evidence = await evidenceFor(laws.index, question);
      if (!evidence.some(({ quote }) => says.test(quote)))
        wrong.push(`${question} → ${evidence[0]?.quote.slice(0, 80) ?? 'abstained'}`);
      for (const { hit, start, end, quote } of evidence)
        expect(laws.documents.get(hit.passage.document)?.text.slice(start, end)).toBe(quote);
    }
    const answered = 1 - wrong.length / answerable.length;
    const false_answers: string[] = [];
    for (const question of unanswerable) {
      const [first] = await evidenceFor(laws.index, question);
      if (first) false_answers.push(`${question} → ${first.quote.slice(0, 80)}`);
    }
    const abstained = 1 - false_answers.length / unanswerable.length;
    console.log(
      `rightly answered ${answered.toFixed(2)} of ${answerable.length}, rightly abstained ${abstained.toFixed(2)} of ${unanswerable.length}${['', ...wrong, ...false_answers].join('\n  ')}`,
    );
    return { answered, abstained };
  }

  it.skipIf(!data)(
    'answer what the laws answer, and abstain from the rest',
    async () => {
      const laws = await openLaws(data ?? '');
      const set = await measure(laws, ANSWERABLE, UNANSWERABLE);
      expect(set.answered).toBeGreaterThanOrEqual(0.9);
      expect(set.abstained).toBeGreaterThanOrEqual(0.95);
      const held_out = await measure(laws, HELD_OUT_ANSWERABLE, HELD_OUT_UNANSWERABLE);
      expect(held_out.answered).toBeGreaterThanOrEqual(0.8);
      expect(held_out.abstained).toBeGreaterThanOrEqual(0.9);
    },
    240_000,
  );
});

describe('answers', () => {
  const RULES: Passage[] = [
    passage(
      'act:0',
      '(1) ‘storage operator’ means a person who runs a storage facility. (2) ‘peak load’ means the highest load of a month.',
      {
        section: 'Article 2 Definitions',
      },
    ),
    passage(
      'act:1',
      'Storage operators shall report their capacity within 30 days. They may not charge during peak load above 4.2 kW.',
      {
        section: 'Article 3 Duties',
      },
    ),
    passage('act:2', 'Fees are due at the end of each month. The fee is 12 EUR per meter.', {
      section: 'Article 4 Fees',
    }),
  ];
  const ask = async (text: string) => {
    const index = createEmbeddedPassages();
    await index.add(TENANT, RULES);
    return (await evidenceFor(index, text)).map(({ quote }) => quote);
  };

  it('define with the definition', async () => {
    expect((await ask('What is a storage operator?'))[0]).toBe(
      '(1) ‘storage operator’ means a person who runs a storage facility.',
    );
  });

  it('give the sentence with the number when an amount is asked', async () => {
    expect((await ask('How much is the fee per meter?'))[0]).toBe('The fee is 12 EUR per meter.');
  });

  it('give the sentence with the time when a time is asked', async () => {
    expect((await ask('By when must storage operators report their capacity?'))[0]).toContain('within 30 days');
  });

  it('do not take a sentence without a number for an amount', async () => {
    const index = createEmbeddedPassages();
    await index.add(TENANT, [passage('act:0', 'Bills shall show the electricity tax under section 3 of the Tax Act.')]);
    expect(await evidenceFor(index, 'How high is the electricity tax?')).toEqual([]);
    expect((await evidenceFor(index, 'What shall bills show about the electricity tax?'))[0]?.quote).toContain(
      'Bills shall show',
    );
  });

  it('begin a section when only the section is asked for', async () => {
    expect((await ask('What does Article 4 say?'))[0]).toBe('Fees are due at the end of each month.');
  });

  it.each([
    'What does Article 9 say?',
    'How much is the fee per battery cell?',
    'What is the capital of France?',
    'Who?',
    'What is it?',
    '42',
  ])('abstain from %j', async (question) => {
    expect(await ask(question)).toEqual([]);
  });

  it('abstain without documents', async () => {
    expect(await evidenceFor(createEmbeddedPassages(), 'What is a storage operator?')).toEqual([]);
  });
});

describe('sentences', () => {
  it.each([
    ['Es gilt § 3 Abs. 2 Satz 1 Nr. 4 der Verordnung. Sie tritt am 1. Juli 2017 in Kraft.', 2],
    ['Regulation (EU) No. 714/2009 applies, e.g. to operators. It was repealed.', 2],
    ['Die Leistung beträgt 4,2 kW bzw. 4.2 kW. Mehr ist nicht erlaubt!', 2],
    ['Is it so? Yes. No.', 3],
    ['One line\nanother line', 2],
    ['', 0],
  ])('of %j', (text, count) => {
    const spans = sentencesOf(text);
    expect(spans).toHaveLength(count);
    const pieces = spans.map(({ start, end }) => text.slice(start, end));
    expect(pieces.join(' ').replace(/\s+/g, ' ')).toBe(text.replace(/\s+/g, ' '));
  });
});
