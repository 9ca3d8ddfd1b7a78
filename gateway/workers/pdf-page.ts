/** One page of a PDF as the engine reads it: text runs, drawn lines, and how much of its text nobody can see. */
import type { getDocumentProxy } from 'unpdf';
import { getResolvedPDFJS } from 'unpdf';
import type { Page, PageItem } from '../../engine/rag/page.ts';
import type { Rule } from '../../engine/rag/table.ts';

export type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;
type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;
type TextContent = Awaited<ReturnType<PdfPage['getTextContent']>>;
type Matrix = readonly number[];
type Operators = { fnArray: readonly number[]; argsArray: readonly unknown[] };

/** Share of the font size above the baseline. */
const ASCENT = 0.8;
/** Thinner is a line, thicker a box. */
const RULE_WIDTH = 2.5;
const SHORTEST_RULE = 6;
const MOST_RULES = 10_000;
const MOST_STATES = 1000;
/** Lighter lines are the edges of shading, drawn strip by strip. */
const SHADING = 0.82;
/** Text rendering mode 3 of ISO 32000-1, table 106: neither filled nor stroked. Text recognition writes so. */
const INVISIBLE = 3;
const BOLD = /bold|black|heavy|demi/i;

export async function readPdfPage(pdf: PdfDocument, number: number): Promise<Page> {
  const page = await pdf.getPage(number);
  const { width, height, transform } = page.getViewport({ scale: 1 });
  // The text first: what unpacks to gigabytes shows there soonest.
  const content = await page.getTextContent();
  const drawn = await drawnOn(await page.getOperatorList(), transform);
  const items = itemsOf(page, content, transform);
  page.cleanup();
  return { number, width, height, items, ...drawn };
}

/** Text runs with their boxes as seen on the page, its rotation included. */
function itemsOf(page: PdfPage, content: TextContent, view: Matrix): PageItem[] {
  const fonts = new Map<string, { font: string; bold: boolean }>();
  const fontOf = (id: string) => {
    const known = fonts.get(id) ?? fontNamed(page, id);
    fonts.set(id, known);
    return known;
  };
  return content.items.flatMap((item) => {
    if (!('str' in item) || item.str === '') return [];
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = multiply(view, item.transform);
    const upright = Math.abs(a) >= Math.abs(b);
    const size = Math.hypot(c, d) || item.height;
    // Text that runs up or down the page (a stamp in the margin) is no line of the document.
    if (!upright) return [];
    return [{ text: item.str, x: e, y: f - size * ASCENT, width: item.width, height: size, ...fontOf(item.fontName) }];
  });
}

/** The font's own name without the prefix of a subset: the same on pages that were joined from several files. */
function fontNamed(page: PdfPage, id: string): { font: string; bold: boolean } {
  const font: unknown = page.commonObjs.has(id) ? page.commonObjs.get(id) : null;
  const { name, bold, black } = (font ?? {}) as { name?: string; bold?: boolean; black?: boolean };
  const plain = (name ?? id).replace(/^[A-Z]{6}\+/, '');
  return { font: plain, bold: Boolean(bold ?? false) || Boolean(black ?? false) || BOLD.test(plain) };
}

async function drawnOn(list: Operators, view: Matrix): Promise<{ rules: Rule[]; hidden: number }> {
  const { OPS } = await getResolvedPDFJS();
  const rules: Rule[] = [];
  let [shown, hidden] = [0, 0];
  let state = { matrix: view, mode: 0, fill: 0, stroke: 0 };
  const states: (typeof state)[] = [];
  list.fnArray.forEach((operator, i) => {
    const given = list.argsArray[i] as readonly unknown[] | null;
    if (operator === OPS.save || operator === OPS.paintFormXObjectBegin) {
      if (states.length < MOST_STATES) states.push({ ...state });
      const matrix = operator === OPS.save ? null : (given?.[0] as Matrix | null);
      if (matrix) state = { ...state, matrix: multiply(state.matrix, matrix) };
    } else if (operator === OPS.restore || operator === OPS.paintFormXObjectEnd) state = states.pop() ?? state;
    else if (operator === OPS.transform) state.matrix = multiply(state.matrix, given as Matrix);
    else if (operator === OPS.setTextRenderingMode) state.mode = Number(given?.[0]);
    else if (operator === OPS.setFillRGBColor) state.fill = brightness(given?.[0]);
    else if (operator === OPS.setStrokeRGBColor) state.stroke = brightness(given?.[0]);
    else if (operator === OPS.showText) {
      const letters = Array.isArray(given?.[0]) ? given[0].length : 0;
      if (state.mode === INVISIBLE) hidden += letters;
      else shown += letters;
    } else if (operator === OPS.constructPath && given?.[0] !== OPS.endPath && rules.length < MOST_RULES) {
      const isFilled = given?.[0] === OPS.fill || given?.[0] === OPS.eoFill;
      if ((isFilled ? state.fill : state.stroke) < SHADING) rules.push(...rulesOf(given, state.matrix, isFilled));
    }
  });
  return { rules, hidden: shown + hidden === 0 ? 0 : hidden / (shown + hidden) };
}

/** 0 is black, 1 white; of `#rrggbb`, as pdf.js tells every colour. */
function brightness(colour: unknown): number {
  const parts = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(String(colour))?.slice(1) ?? ['0'];
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 16) / 255, 0) / parts.length;
}

/** Straight level and upright lines that are drawn; of what is filled only boxes as thin as a line: others are shading. */
function rulesOf(given: readonly unknown[] | null, matrix: Matrix, isFilled: boolean): Rule[] {
  const paths = (given?.[1] ?? []) as readonly (ArrayLike<number> | null)[];
  return paths.flatMap((path) => {
    const pieces = path ? linesOf(Array.from(path), matrix) : [];
    return thinned(isFilled ? pieces.flatMap(boxOf) : pieces.flat());
  });
}

function boxOf(lines: readonly Rule[]): Rule[] {
  const [first] = lines;
  if (!first) return [];
  return [
    lines.reduce(
      (box, { x1, y1, x2, y2 }) => ({
        x1: Math.min(box.x1, x1),
        y1: Math.min(box.y1, y1),
        x2: Math.max(box.x2, x2),
        y2: Math.max(box.y2, y2),
      }),
      first,
    ),
  ];
}

/** Moves, lines, curves and closings as pdf.js packs them: 0 x y, 1 x y, 2 and six numbers, 3 and four, 4. */
function linesOf(path: readonly number[], matrix: Matrix): Rule[][] {
  const pieces: Rule[][] = [];
  let at: readonly number[] = [0, 0];
  let first = at;
  const lineTo = (to: readonly number[]) => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [...at, ...to];
    pieces.at(-1)?.push({ x1: Math.min(x1, x2), y1: Math.min(y1, y2), x2: Math.max(x1, x2), y2: Math.max(y1, y2) });
    at = to;
  };
  for (let i = 0; i < path.length && pieces.length < MOST_RULES; ) {
    const kind = path[i];
    const count = kind === 2 ? 6 : kind === 3 ? 4 : kind === 4 ? 0 : 2;
    const end = pointIn(path.slice(i + count - 1, i + count + 1), matrix);
    if (kind === 0) {
      [at, first] = [end, end];
      pieces.push([]);
    } else if (kind === 1) lineTo(end);
    else if (kind === 4) lineTo(first);
    else at = end;
    i += count + 1;
  }
  return pieces;
}

function pointIn([x = 0, y = 0]: readonly number[], [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: Matrix): number[] {
  return [a * x + c * y + e, b * x + d * y + f];
}

function thinned(lines: readonly Rule[]): Rule[] {
  const straight = lines.filter(({ x1, y1, x2, y2 }) => x2 - x1 < RULE_WIDTH || y2 - y1 < RULE_WIDTH);
  return straight.filter(({ x1, y1, x2, y2 }) => Math.max(x2 - x1, y2 - y1) >= SHORTEST_RULE);
}

function multiply(m: Matrix, n: Matrix): number[] {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = m;
  const [A = 1, B = 0, C = 0, D = 1, E = 0, F = 0] = n;
  return [a * A + c * B, b * A + d * B, a * C + c * D, b * C + d * D, a * E + c * F + e, b * E + d * F + f];
}
