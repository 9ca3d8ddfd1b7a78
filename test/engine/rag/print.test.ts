/** What stands on pages beside running text: drawn tables, boxes, footnotes, pages of contents, print of headings. */
import { describe, expect, it } from 'vitest';
import { documentOfPages } from '../../../engine/rag/document.ts';
import type { Page, PageItem } from '../../../engine/rag/page.ts';
import type { Rule } from '../../../engine/rag/table.ts';

const item = (text: string, x: number, y: number, more: Partial<PageItem> = {}): PageItem => ({
  ...{ text, x, y, width: text.length * 5, height: 11, font: 'body', bold: false },
  ...more,
});
const bold = (text: string, x: number, y: number, more: Partial<PageItem> = {}) =>
  item(text, x, y, { font: 'bold', bold: true, ...more });
const page = (number: number, items: PageItem[], rules: Rule[] = []): Page => ({
  ...{ number, width: 595, height: 842, items, rules },
});
/** Lines of a grid, as they are drawn around cells. */
function grid(xs: readonly number[], ys: readonly number[]): Rule[] {
  const [left = 0, right = 0, top = 0, bottom = 0] = [xs[0], xs.at(-1), ys[0], ys.at(-1)];
  return [
    ...ys.map((y) => ({ x1: left, x2: right, y1: y, y2: y })),
    ...xs.map((x) => ({ x1: x, x2: x, y1: top, y2: bottom })),
  ];
}
const BODY = 'The operator shall read every meter of the grid once a quarter of an hour and keep it.';
const XS = [60, 160, 300];

describe('drawn tables', () => {
  const head = [bold('Class of', 65, 102), bold('meters', 65, 114), bold('Limit', 165, 108)];

  it('become rows that carry their head, cell by cell, on the next page too', () => {
    const { text, passages } = documentOfPages([
      page(
        1,
        [item(BODY, 60, 60), ...head, item('Small', 65, 135), item('4.2 kW', 165, 135)],
        grid(XS, [100, 130, 150]),
      ),
      page(
        2,
        [
          ...head.map((one) => ({ ...one, y: one.y - 40 })),
          item('Large', 65, 95),
          item('11 kW', 165, 95),
          item(BODY, 60, 300),
        ],
        grid(XS, [60, 90, 110]),
      ),
    ]);
    expect(text.split('\n').slice(1, 3)).toEqual([
      'Class of meters: Small | Limit: 4.2 kW',
      'Class of meters: Large | Limit: 11 kW',
    ]);
    const table = passages.find(({ kind }) => kind === 'table');
    expect(table).toMatchObject({ page: 1, page_end: 2, text: text.split('\n').slice(1, 3).join('\n') });
  });

  it('keep cells over several lines together, and cells that span rows', () => {
    const rules = grid(XS, [100, 120, 160, 200]).filter(({ y1, y2 }) => !(y1 === 160 && y2 === 160));
    const { text } = documentOfPages([
      page(
        1,
        [
          ...[bold('Voltage', 65, 104), bold('Duty', 165, 104), item('low', 65, 150)],
          ...[item('read the me-', 165, 124), item('ter each day', 165, 138), item('and keep it', 165, 180)],
          item(BODY, 60, 400),
        ],
        [...rules, { x1: 160, x2: 300, y1: 160, y2: 160 }],
      ),
    ]);
    expect(text.split('\n').slice(0, 2)).toEqual(['Voltage: low | Duty: read the meter each day', 'Duty: and keep it']);
  });

  it('are none without a second column: a box is running text beside the sections, under its first line', () => {
    const box = grid([50, 500], [190, 330]);
    const { passages, headings } = documentOfPages([
      page(
        1,
        [
          ...[bold('3.1 Reading', 60, 100), item(`(1) ${BODY}`, 60, 130)],
          ...[bold('[Replace paragraph (1) above from 2027 on:]', 60, 200), bold('3.2 Not yet', 60, 240)],
          ...[item('(1) The operator reads it every minute.', 60, 280), item(`(2) ${BODY}`, 60, 400)],
        ],
        box,
      ),
    ]);
    expect(headings.map(({ text }) => text)).toEqual(['3.1 Reading']);
    expect(passages.map(({ headings: under, paragraph }) => [...under, paragraph])).toEqual([
      ['3.1 Reading', '(1)'],
      ['3.1 Reading', '[Replace paragraph (1) above from 2027 on:]', null],
      ['3.1 Reading', '[Replace paragraph (1) above from 2027 on:]', '(1)'],
      ['3.1 Reading', '(2)'],
    ]);
  });
});

describe('footnotes', () => {
  it('stand apart, the sentence goes on over the page, and their marks are no numbers in the text', () => {
    const small = { height: 8 };
    const { text, passages } = documentOfPages([
      page(1, [
        ...[item('§ 1 Duties', 60, 80), item('The operator pays the fee', 60, 120), item('2', 186, 118, { height: 6 })],
        ...[
          item('for each meter that it reads and for', 60, 134),
          item('2 As of January 2026, see the tariff.', 60, 700, small),
        ],
      ]),
      page(2, [item('each battery of the grid.', 60, 80), item(BODY, 60, 300)]),
    ]);
    expect(text).toContain('The operator pays the fee for each meter that it reads and for each battery of the grid.');
    expect(passages.find(({ kind }) => kind === 'footnote')).toMatchObject({
      ...{ text: '2 As of January 2026, see the tariff.', page: 1, section: '§ 1 Duties' },
    });
  });
});

describe('contents', () => {
  it('with page numbers in a column are left out, wrapped entries too', () => {
    const titles = ['1.1 Purpose', '1.2 Scope', '1.3 Reading of meters', '1.4 Storage', '1.5 Fees'];
    const entries = titles.flatMap((title, i) => [item(title, 60, 120 + i * 20), item(`${i + 3}`, 500, 120 + i * 20)]);
    const { passages, headings } = documentOfPages([
      page(1, [item('Table of contents', 60, 80), ...entries, item('of all operators', 80, 215)]),
      page(
        2,
        titles.flatMap((title, i) => [bold(title, 60, 80 + i * 100), item(BODY, 60, 110 + i * 100)]),
      ),
    ]);
    expect(passages.map(({ section }) => section)).toEqual(titles);
    expect(headings.map(({ text, page: on }) => [text, on])).toEqual([...titles.map((title) => [title, 2])]);
  });
});

describe('headings by their print', () => {
  it('are numbers in bold, large print, and defined terms, but no amounts and no repeated name', () => {
    const name = () => bold('Grid Code', 60, 140, { height: 20 });
    const body = (y: number) => [0, 14, 28].map((down) => item(`${BODY} (${y + down})`, 60, y + down));
    const { headings } = documentOfPages([
      page(1, [name(), ...body(240)]),
      page(2, [name(), bold('1 Scope', 60, 200), ...body(230)]),
      page(3, [
        ...[name(), bold('2 Definitions', 60, 200), bold('Meter', 60, 230), ...body(260)],
        ...[item('2.5 MW or more are large, and', 60, 340), ...body(380), bold('3 Duties', 60, 450), ...body(480)],
        ...[bold('Foreword of all', 60, 560, { height: 16 }), ...body(600)],
      ]),
    ]);
    expect(headings.map(({ text, page: on }) => [text, on])).toEqual([
      ['Grid Code', 1],
      ['1 Scope', 2],
      ['2 Definitions', 3],
      ['Meter', 3],
      ['3 Duties', 3],
      ['Foreword of all', 3],
    ]);
  });
});

describe('recognised text', () => {
  it('is read, and marked as what may be wrong', () => {
    const { ocr_pages, faults } = documentOfPages([
      { ...page(1, [item(BODY, 60, 300)]), hidden: 1 },
      page(2, [item(BODY, 60, 300)]),
      page(3, []),
      { ...page(4, [item(BODY, 60, 300)]), hidden: 0.9 },
    ]);
    expect(ocr_pages).toBe(2);
    expect(faults).toEqual([
      { where: 'Pages 1, 4', problem: expect.stringMatching(/OCR.*may be wrong/) },
      { where: 'Page 3', problem: expect.stringMatching(/hardly any text/) },
    ]);
  });
});
