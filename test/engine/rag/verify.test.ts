import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../../../engine/rag/anchors.ts';
import { createAnalyzers } from '../../../engine/rag/terms.ts';
import { type Sources, verifySentence } from '../../../engine/rag/verify.ts';
import { cited, PASSAGES, TRUE_SENTENCES } from './answers-fixture.ts';
import { MUTATION_KINDS, mutationsOf } from './mutations.ts';

const analyzers = createAnalyzers();
const sources: Sources = { passage: (id) => PASSAGES.find((passage) => passage.id === id) ?? null };
const verdictOf = (id: string, text: string, quote: string) =>
  verifySentence(cited(id, text, quote), sources, analyzers);

describe('the verifier', () => {
  it.each(TRUE_SENTENCES.map((sentence) => [sentence.text, sentence] as const))('lets pass: %s', (_, sentence) => {
    expect(verifySentence(sentence, sources, analyzers)).toEqual({ ok: true });
  });

  it('lets none of 10,000 wrong answers pass', () => {
    const passed: string[] = [];
    const kinds = new Map<string, number>();
    for (const { kind, sentence } of mutationsOf(TRUE_SENTENCES, 10_000, 9)) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (verifySentence(sentence, sources, analyzers).ok)
        passed.push(`${kind}: ${sentence.text} <- ${JSON.stringify(sentence.citations)}`);
    }
    expect([...new Set(passed)]).toEqual([]);
    expect(Math.min(...MUTATION_KINDS.map((kind) => kinds.get(kind) ?? 0))).toBeGreaterThan(20);
  });

  it.each([
    ['the other number of the quote', 'code:2', 'The annual fee is 15 EUR per meter.', 'number'],
    ['a name that the quote does not have', 'code:2', 'The annual fee of Siemens is 12 EUR per meter.', 'name'],
    ['markup', 'code:2', 'The annual fee is 12 EUR per meter <img src=//evil>.', 'markup'],
    ['an address of the web', 'code:2', 'The annual fee is 12 EUR per meter, see https://evil.example.', 'markup'],
    ['signs without width', 'code:2', 'The annual fee is 12\u200b EUR per meter.', 'markup'],
    ['words of its own', 'code:2', 'Everything else about gateways costs nothing whatsoever.', 'name'],
    ['a law that is not quoted', 'code:2', 'Under Article 9 the annual fee is 12 EUR per meter.', 'reference'],
  ])('drops %s', (_, id, text, fault) => {
    const quote = 'The annual fee is 12 EUR per meter and 15 EUR per gateway.';
    expect(verdictOf(id, text, quote)).toMatchObject({ ok: false, fault });
  });

  it('drops a number cut off another', () => {
    const quote = 'Die Steuer beträgt 20,50 Euro für eine Megawattstunde.';
    expect(verdictOf('steuer:1', 'Die Steuer beträgt 20', quote)).toMatchObject({ ok: false, fault: 'number' });
  });

  it('drops a sentence that leaves out an exception', () => {
    const quote = 'Meters below 3 kW are exempt from the fee unless they feed in more than 1,500 kWh a year.';
    expect(verdictOf('code:2', 'Meters below 3 kW are exempt from the fee', quote)).toMatchObject({
      fault: 'polarity',
    });
  });

  it('needs a quote that says something', () => {
    expect(verdictOf('code:2', 'The annual fee', 'The annual')).toMatchObject({ fault: 'quote_too_short' });
  });
});

describe('numbers, dates and references', () => {
  const keys = (text: string, language: 'de' | 'en') =>
    anchorsOf(text, language).map(({ key, detail }) => (detail === null ? key : `${key} ${detail}`));
  it.each([
    ['20,50 Euro je MWh', 'de', ['20.5 EUR']],
    ['1.000,5 kWh', 'de', ['1000.5 kWh']],
    ['1,000.5 kWh', 'en', ['1000.5 kWh']],
    ['drei Monate, 3 Monaten', 'de', ['3 month', '3 month']],
    ['50 bis 100 Kilowatt', 'de', ['50 kW', '100 kW']],
    ['am 1. Juli 2017', 'de', ['2017-7-1']],
    ['on 1 July 2017, July 1, 2017 or 2017-07-01', 'en', ['2017-7-1', '2017-7-1', '2017-7-1']],
    ['§ 14a Abs. 2 und Art. 5(3)', 'de', ['§:14a 2', 'article:5 3']],
    ['Regulation (EU) 2019/943', 'en', ['2019/943']],
    ['€ 5 or 5 %', 'en', ['5 EUR', '5 %']],
    ['within 10 working days', 'en', ['10 working day']],
    ['', 'en', []],
  ] as const)('of %j', (text, language, expected) => {
    expect(keys(text, language)).toEqual(expected);
  });
});
