/** HTML (also what Word files are turned into) to the same flow of paragraphs that PDFs become; without pages. */
import { Parser } from 'htmlparser2';
import { InvalidDataError } from '../errors.ts';
import { cleanCharacters } from './characters.ts';
import type { Flow, Paragraph } from './flow.ts';
import { type ToldCell, tellTable } from './told-table.ts';

/** Nothing in them is text of the document, or nobody sees it. */
const UNSEEN = new Set(
  'head script style noscript template svg math nav iframe object select button form dialog'.split(' '),
);
const BLOCKS = new Set(
  'p div section article main header footer aside li ul ol dl dt dd blockquote pre figure figcaption address hr body tr caption details summary'.split(
    ' ',
  ),
);
const VOID = new Set('br hr img input meta link wbr area base col embed source track'.split(' '));
const DEEPEST = 1000;
const NOTE = /^(?:foot|end)?notes?[-_]?\d+$|^fn[-_:]?\d+$|^_ftn\d+$/i;

type Tag = { name: string; unseen: boolean; note: boolean; inner: boolean; count: number };
type OpenTable = { rows: ToldCell[][]; cell: ToldCell | null };

/** @throws InvalidDataError for one that is nested without end */
export function flowOfHtml(source: string): Flow {
  const writer = createWriter();
  const tags: Tag[] = [];
  const tables: OpenTable[] = [];
  const top = () => tags.at(-1);

  function open(name: string, attributes: Record<string, string>): void {
    if (tags.length > DEEPEST) throw new InvalidDataError('The page is nested too deeply.', 'Save it as plain text.');
    const above = top();
    const leads = name === 'a' && /^#/.test(attributes.href ?? '');
    // The raised mark of a footnote is no text.
    const isMark = leads && above?.name === 'sup';
    const unseen = (above?.unseen ?? false) || UNSEEN.has(name) || isHidden(attributes) || isMark;
    const note = (above?.note ?? false) || NOTE.test(attributes.id ?? '');
    const inner = (above?.inner ?? false) || leads;
    if (!VOID.has(name)) tags.push({ name, unseen, note, inner, count: Number(attributes.start ?? 1) || 1 });
    if (unseen) return;
    const table = tables.at(-1);
    if (name === 'table') {
      if (!table?.cell) writer.end();
      tables.push({ rows: [], cell: null });
    } else if (table && name === 'tr') table.rows.push([]);
    else if (table && (name === 'td' || name === 'th')) table.cell = cellOf(name, attributes);
    else if (table?.cell) write(name === 'br' || BLOCKS.has(name) ? ' ' : '');
    else if (name === 'br') writer.text(' ', false);
    else if (/^h[1-6]$/.test(name)) writer.begin({ level: Number(name[1]) });
    else if (BLOCKS.has(name)) writer.begin(note ? { kind: 'footnote' } : {});
    if (name === 'li' && !table?.cell) writer.text(itemMark(tags), inner);
  }
  function write(text: string): void {
    const tag = top();
    const cell = tables.at(-1)?.cell;
    if (tag?.unseen) return;
    if (cell) cell.text += text;
    else if (!tables.length) writer.text(text, tag?.inner ?? false);
  }
  function close(name: string): void {
    const tag = VOID.has(name) ? undefined : tags.pop();
    if (tag?.unseen) return;
    const table = tables.at(-1);
    if (table?.cell && (name === 'td' || name === 'th')) {
      table.cell.text = oneLine(table.cell.text);
      table.rows.at(-1)?.push(table.cell);
      table.cell = null;
    } else if (table && name === 'table') {
      tables.pop();
      const told = tellTable(table.rows);
      const around = tables.at(-1)?.cell;
      if (around) around.text += ` ${told.join('; ')} `;
      else for (const row of told) writer.whole(row, 'table');
    } else if (!table && (BLOCKS.has(name) || /^h[1-6]$/.test(name))) writer.end();
  }
  const parser = new Parser({ onopentag: open, ontext: write, onclosetag: close }, { decodeEntities: true });
  parser.end(source);
  return writer.flow();
}

function createWriter() {
  const paragraphs: Paragraph[] = [];
  const parts: string[] = [];
  let length = 0;
  let current: { text: string; level: number | null; kind: Paragraph['kind']; linked: number } | null = null;

  function end(): void {
    if (!current) return;
    const { level, kind, linked } = current;
    const text = oneLine(current.text);
    current = null;
    // A paragraph that is nothing but a link into the same document is an entry of its contents.
    if (text !== '') add(text, level, kind, linked >= text.replace(/\s/g, '').length);
  }
  function add(text: string, level: number | null, kind: Paragraph['kind'], contents: boolean): void {
    const start = length === 0 ? 0 : length + 1;
    parts.push(length === 0 ? text : `\n${text}`);
    length = start + text.length;
    paragraphs.push({
      ...{ start, end: length, page: null, size: 0, bold: false, first_line: text.length, level },
      ...{ contents: contents && level === null, kind },
    });
  }
  function begin({ level = null, kind = 'text' }: { level?: number | null; kind?: Paragraph['kind'] } = {}): void {
    end();
    current = { text: '', level, kind, linked: 0 };
  }
  return {
    begin,
    end,
    text(text: string, inner: boolean): void {
      if (!current && text.trim() !== '') begin();
      if (!current) return;
      current.text += text;
      if (inner) current.linked += text.replace(/\s/g, '').length;
    },
    whole(text: string, kind: Paragraph['kind']): void {
      end();
      add(text, null, kind, false);
    },
    flow(): Flow {
      end();
      return { text: parts.join(''), paragraphs, segments: [] };
    },
  };
}

function oneLine(text: string): string {
  return cleanCharacters(text)
    .replace(/(?:\[\d{1,3}\]|↑)$/u, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function cellOf(name: string, { colspan, rowspan }: Record<string, string>): ToldCell {
  const count = (text: string | undefined) => Math.min(1000, Math.max(1, Math.trunc(Number(text ?? 1)) || 1));
  return { text: '', head: name === 'th', columns: count(colspan), rows: count(rowspan) };
}

/** `1. ` of a counted list, as a reader sees it. */
function itemMark(tags: readonly Tag[]): string {
  const list = tags.findLast(({ name }) => name === 'ol' || name === 'ul');
  if (list?.name !== 'ol' || tags.at(-1)?.note) return '';
  const mark = `${list.count}. `;
  list.count += 1;
  return mark;
}

function isHidden({ hidden, style, 'aria-hidden': aria }: Record<string, string>): boolean {
  const plain = (style ?? '').toLowerCase().replace(/\s/g, '');
  return hidden !== undefined || aria === 'true' || /display:none|visibility:hidden|font-size:0(?![.\d])/.test(plain);
}
