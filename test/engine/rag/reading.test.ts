import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { documentOfPages, documentOfText } from '../../../engine/rag/document.ts';
import { detectLanguage } from '../../../engine/rag/language.ts';
import { findQuote, marksOf } from '../../../engine/rag/marks.ts';
import type { Page, PageItem } from '../../../engine/rag/page.ts';

const WIDE = 6;
/** Letters are 6 points wide, as a reader of PDFs would hand them over. */
const item = (text: string, x: number, y: number, more: Partial<PageItem> = {}): PageItem => ({
  ...{ text, x, y, width: text.length * WIDE, height: 11, font: 'body' },
  ...more,
});
const page = (number: number, items: PageItem[]): Page => ({ number, width: 595, height: 842, items });
const below = (y: number, lines: readonly string[], x = 72) => lines.map((text, i) => item(text, x, y + i * 14));
/** Each once: a section has a passage for each of its paragraphs. */
const sections = (text: string, format: 'markdown' | 'text' = 'text') => [
  ...new Set(documentOfText(text, format).passages.map(({ section }) => section)),
];
const BODY = 'The operator shall read every meter of the grid once a quarter of an hour and keep what it read.';

describe('pages', () => {
  const furnished = (number: number, lines: readonly string[]) =>
    page(number, [
      item('ENERGY ACT', 72, 40),
      item(`Official Journal ${number}/2026`, 400, 40),
      ...below(200, lines),
      item(`- ${number} -`, 290, 810),
    ]);

  it('leave out running heads, feet and page numbers, and go on over the break', () => {
    const { text } = documentOfPages([
      furnished(1, ['§ 1 Purpose', 'This Act serves the safe supply of electricity to', 'all people who live in the']),
      furnished(2, ['area of the grid.', '§ 2 Scope', 'It applies to operators of grids.']),
      furnished(3, ['§ 3 Duties', BODY]),
    ]);
    expect(text).not.toMatch(/ENERGY ACT|Official|- \d -/);
    expect(text).toContain('electricity to all people who live in the area of the grid.');
  });

  it('keep a line at the edge of a page that comes once', () => {
    const { text } = documentOfPages([
      page(1, [item('Only here: the annual deadline.', 72, 30), ...below(200, [BODY])]),
      page(2, [item('Another thing altogether.', 72, 30), ...below(200, [BODY])]),
      page(3, below(200, [BODY])),
    ]);
    expect(text).toContain('Only here: the annual deadline.');
  });

  it('join divided words, but keep hyphens that belong', () => {
    const lines = [
      'The trans-',
      'mission of climate-related data under a long-',
      'term plan is regu-',
      'lated; a long-term plan is one with climate-',
      'related aims, and the Netz-',
      'und Speicherbetreiber are told of the trans-',
      'action.',
    ];
    const { text } = documentOfPages([page(1, below(100, lines))]);
    expect(text).toContain('transmission of climate-related data under a long-term plan is regulated;');
    expect(text).toContain('climate-related aims');
    expect(text).toContain('Netz- und Speicherbetreiber');
    expect(text).toContain('transaction.');
  });

  it('open ligatures and drop soft hyphens and control characters', () => {
    const { text } = documentOfPages([
      page(1, below(100, ['The ef\u00adﬁciency of o\u0000ﬃces is deﬁned below, as is the workﬂow of all.'])),
    ]);
    expect(text).toBe('The efficiency of offices is defined below, as is the workflow of all.');
  });

  it('read two columns one after the other, between lines that cross both', () => {
    const left = Array.from({ length: 12 }, (_, i) => `left column sentence number ${i} goes`);
    const right = Array.from({ length: 12 }, (_, i) => `right column sentence number ${i} is`);
    const { text } = documentOfPages([
      page(1, [
        item('A title that runs over the whole width of the page and crosses the gutter between', 60, 80),
        ...below(120, left, 60),
        ...below(120, right, 310),
      ]),
    ]);
    expect(text.indexOf('left column sentence number 11')).toBeLessThan(text.indexOf('right column sentence number 0'));
    expect(text.indexOf('A title')).toBe(0);
  });

  it('do not take a table for columns', () => {
    const rows = Array.from({ length: 14 }, (_, i) => [
      item(`Row ${i}`, 72, 100 + i * 14),
      item(`${i} kW`, 340, 100 + i * 14),
    ]);
    const { text } = documentOfPages([page(1, [...rows.flat(), ...below(400, [BODY])])]);
    expect(text).toContain('Row 3 3 kW');
  });

  it('are refused when most have no text', () => {
    const scans = [1, 2, 3].map((number) => page(number, number === 1 ? below(100, [BODY]) : []));
    expect(() => documentOfPages(scans)).toThrow(InvalidDataError);
    expect(() => documentOfPages(scans)).toThrow(/2 of 3 pages have no text: this looks like a scan/);
  });

  it('let a quote be found and marked where it stands, line by line', () => {
    const document = documentOfPages([
      page(1, below(100, ['The first page says nothing of interest to', 'anybody who reads it.'])),
      page(2, below(100, ['Storage shall be charged at night when', 'prices are low and the grid is free.'])),
    ]);
    const quote = 'charged at night when\nprices are low';
    const span = findQuote(document.text, quote);
    expect(span && document.text.slice(span.start, span.end)).toBe('charged at night when prices are low');
    const boxes = marksOf(document, span ?? { start: 0, end: 0 }, 2);
    expect(boxes).toEqual([
      { x: 72 + 17 * WIDE, y: 100, width: 21 * WIDE, height: 11 },
      { x: 72, y: 114, width: 14 * WIDE, height: 11 },
    ]);
    expect(marksOf(document, span ?? { start: 0, end: 0 }, 1)).toEqual([]);
    expect(findQuote(document.text, 'never said')).toBeNull();
  });
});

describe('sections', () => {
  it.each([
    ['§ 14a Netzorientierte Steuerung', '§ 14a Netzorientierte Steuerung'],
    ['Article 5\nPublication of data', 'Article 5 Publication of data'],
    ['Section 3.2.1 Reading of meters', 'Section 3.2.1 Reading of meters'],
    ['3.2.1 Reading of meters', '3.2.1 Reading of meters'],
    ['§25.181. Energy Efficiency Goal.', '§25.181. Energy Efficiency Goal.'],
    ['ANNEX II\nMethods', 'ANNEX II Methods'],
  ])('begin at %j', (heading, path) => {
    expect(sections(`${heading}\n${BODY}`)).toEqual([path]);
  });

  it.each([
    '§ 14a Absatz 2 gilt entsprechend für alle Betreiber von Speichern.',
    'Article 16 of the Directive applies to all operators of storage.',
    '§ 5 und § 6 bleiben unberührt, soweit nichts anderes bestimmt ist.',
    '§25.182(d)(7) of this title sets the caps that apply in this case.',
    'Section 3 applies to every operator of a grid without exception.',
  ])('do not begin at the reference %j', (reference) => {
    expect(sections(`§ 1 Purpose\n${BODY}\n${reference}`)).toEqual(['§ 1 Purpose']);
  });

  it('hang below chapters and parts', () => {
    const text = `CHAPTER II\nDUTIES\nArticle 3\nReading\n${BODY}\nArticle 4\nStorage\n${BODY}\nCHAPTER III\nFINES\nArticle 5\nAmount\n${BODY}`;
    expect(sections(text)).toEqual([
      'CHAPTER II DUTIES > Article 3 Reading',
      'CHAPTER II DUTIES > Article 4 Storage',
      'CHAPTER III FINES > Article 5 Amount',
    ]);
  });

  it('are left out where they are a table of contents, with leaders or without', () => {
    const contents = 'Contents\n§ 1 Purpose ............ 3\n§ 2 Scope ............... 4\n§ 3 Duties . . . . . . . 5';
    const plain = 'Inhaltsübersicht\n§ 1 Purpose\n§ 2 Scope\n§ 3 Duties';
    const body = `§ 1 Purpose\n${BODY}\n§ 2 Scope\n${BODY}\n§ 3 Duties\n${BODY}`;
    for (const text of [`${contents}\n${body}`, `${plain}\n${body}`]) {
      const { passages } = documentOfText(text, 'text');
      expect(passages.map(({ section }) => section)).toEqual(['§ 1 Purpose', '§ 2 Scope', '§ 3 Duties']);
    }
  });

  it('carry the paragraph that a passage begins with', () => {
    const long = Array.from({ length: 9 }, () => BODY)
      .join(' ')
      .slice(0, 560);
    const text = `§25.181. Goal\n(a) ${long}.\n(b) ${long}.\n(1) ${long}.\n(2) ${long}.\n(c) ${long}.`;
    expect(sections(text)).toEqual(
      ['(a)', '(b)', '(b)(1)', '(b)(2)', '(c)'].map((marks) =>
        expect.stringMatching(new RegExp(`Goal ${marks.replace(/[()]/g, '\\$&')}$`)),
      ),
    );
  });
});

describe('plain text and Markdown', () => {
  it('lose their markup, tables become lines, and nothing else is lost', () => {
    const { text } = documentOfText(
      `---\ntitle: x\n---\n# § 1 Purpose\n\nThis **Act** serves [all](http://x) people &amp; grids.<br>It is short.\n\n<table><tr><td>Class</td><td>kW</td></tr><tr><td>A</td><td>4.2</td></tr></table>`,
      'markdown',
    );
    expect(text).toBe('§ 1 Purpose\nThis Act serves all people & grids. It is short.\nClass: A | kW: 4.2');
  });

  it('join hard-wrapped lines to paragraphs', () => {
    const { text } = documentOfText(
      'One sentence is\nwrapped over two lines of the text.\n\nAnother one stands\nbelow it, and\n(1) a numbered one\nfollows with words.',
      'text',
    );
    expect(text.split('\n')).toEqual([
      'One sentence is wrapped over two lines of the text.',
      'Another one stands below it, and',
      '(1) a numbered one follows with words.',
    ]);
  });

  it('are refused without words', () => {
    for (const text of ['', '\n\n', '# \n', '—', 'a b c'])
      expect(() => documentOfText(text, 'text'), JSON.stringify(text)).toThrow(/no running text/);
  });

  it('stand a very long line', () => {
    const { passages } = documentOfText(`${'word '.repeat(200_000)}`, 'text');
    expect(passages.length).toBeGreaterThan(700);
    expect(Math.max(...passages.map(({ text }) => text.split(' ').length))).toBeLessThanOrEqual(290);
  });
});

describe('passages', () => {
  const paragraphs = Array.from({ length: 40 }, (_, i) => `(${i + 1}) ${BODY} ${BODY} It is paragraph ${i + 1}.`);

  it('are verbatim pieces of the text, one for each paragraph, with its number and where it stands', () => {
    const { text, passages } = documentOfText(`§ 1 Long\n${paragraphs.join('\n')}`, 'text');
    for (const passage of passages) expect(text.slice(passage.start, passage.end)).toBe(passage.text);
    expect(passages.map(({ paragraph }) => paragraph)).toEqual(paragraphs.map((_, i) => `(${i + 1})`));
    expect(passages[6]).toMatchObject({
      ...{ headings: ['§ 1 Long'], number: '§ 1', section: '§ 1 Long (7)', kind: 'text', sentence: 1 },
      ...{ text: paragraphs[6], page: null, page_end: null },
    });
  });

  it('hold a paragraph with its points and closing words, and short ones stay', () => {
    const { passages } = documentOfText(
      `§ 5 Fees\n(1) A fee is due for\n1. meters,\n2. storage.\nIt is paid once.\n(2) (repealed)\n§ 6 End\n${BODY}`,
      'text',
    );
    expect(passages.map(({ section, text }) => [section, text])).toEqual([
      ['§ 5 Fees (1)', '(1) A fee is due for\n1. meters,\n2. storage.\nIt is paid once.'],
      ['§ 5 Fees (2)', '(2) (repealed)'],
      ['§ 6 End', BODY],
    ]);
  });

  it('are cut between points, else between sentences, where a paragraph is long; nothing is lost', () => {
    const points = Array.from({ length: 12 }, (_, i) => `${i + 1}. ${BODY} ${BODY}`);
    const long = Array.from({ length: 30 }, (_, i) => `Sentence ${i + 1} says that ${BODY}`).join(' ');
    const { text, passages } = documentOfText(`§ 2 Long\n(1) It is:\n${points.join('\n')}\n(2) ${long}`, 'text');
    const words = passages.map((passage) => passage.text.split(/\s+/).length);
    expect(Math.max(...words)).toBeLessThanOrEqual(250);
    const [first, second] = ['(1)', '(2)'].map((mark) =>
      passages.filter(({ paragraph }) => paragraph?.startsWith(mark)),
    );
    expect(first?.slice(1).every((passage) => /^\d+\. /.test(passage.text))).toBe(true);
    expect(second?.map(({ sentence }) => sentence)).toEqual([1, expect.any(Number), expect.any(Number)]);
    for (const { text: piece, sentence } of second?.slice(1) ?? [])
      expect(piece).toMatch(new RegExp(`^Sentence ${sentence} says`));
    expect(passages.map((passage) => passage.text).join('')).toHaveLength(
      text.length - '§ 2 Long\n'.length - passages.length + 1,
    );
  });
});

describe('language', () => {
  it.each([
    ['What is the fee for the use of the grid?', 'en'],
    ['Wie hoch ist das Entgelt für die Nutzung des Netzes?', 'de'],
    ['Was regelt § 14a EnWG?', 'de'],
    ['Bilanzkreis', 'en'],
    ['Netzentgelte für Wärmepumpen', 'de'],
  ])('of %j', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });
});
