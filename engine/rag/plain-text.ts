/** Markdown and plain text to the same flow of paragraphs that PDFs become; without pages. */
import { cleanCharacters } from './characters.ts';
import type { Flow, Paragraph } from './flow.ts';
import { type ToldCell, tellTable } from './told-table.ts';

const MARKER = /^(?:\(\w{1,4}\)|\d{1,3}[a-z]?[.)]|[a-z]{1,2}\)|[-*•–])\s+\S|^§§?\s*\d/;
const LONE_MARKER = /^(?:\(\w{1,4}\)|\d{1,3}[a-z]?\.|[—–-])$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
};
/** Marks a line that is a row of a table; no text of a document holds it. */
const ROW = '\ue000';
/** With fewer empty lines than this, each line is a paragraph of its own. */
const SHARE_OF_EMPTY_LINES = 0.05;

export function flowOfText(source: string, format: 'markdown' | 'text'): Flow {
  const plain = source.replaceAll(ROW, '');
  const lines = (format === 'markdown' ? withoutMarkup(plain) : plain)
    .split(/\r\n?|\n|\f/)
    .map((line) => (line.startsWith(ROW) ? ROW : '') + cleanCharacters(line).replace(/ {2,}/g, ' ').trim());
  const empty = lines.filter((line) => line === '').length;
  const perLine = empty < SHARE_OF_EMPTY_LINES * lines.length;
  const flow: Flow = { text: '', paragraphs: [], segments: [] };
  const parts: string[] = [];
  let length = 0;
  let open = false;
  for (const line of lines) {
    const heading = format === 'markdown' ? HEADING.exec(line) : null;
    const isRow = line.startsWith(ROW);
    const text = heading ? (heading[2] ?? '') : line.slice(isRow ? ROW.length : 0);
    if (text === '') {
      open = open && isLone(parts);
      continue;
    }
    const joins = open && !heading && !isRow && (isLone(parts) || (!perLine && !MARKER.test(text)));
    if (joins) append(text);
    else begin(text, heading ? (heading[1]?.length ?? 1) : null, isRow ? 'table' : 'text');
    open = !heading && !isRow;
  }
  flow.text = parts.join('');
  return flow;

  function begin(text: string, level: number | null, kind: Paragraph['kind']): void {
    const start = length === 0 ? 0 : length + 1;
    parts.push(length === 0 ? text : `\n${text}`);
    length = start + text.length;
    const paragraph: Paragraph = {
      start,
      end: length,
      page: null,
      size: 0,
      bold: false,
      kind,
      first_line: text.length,
      level,
      contents: false,
    };
    flow.paragraphs.push(paragraph);
  }

  /** Joins a line of the same paragraph, mending a word divided at its end. */
  function append(text: string): void {
    const before = parts.at(-1) ?? '';
    if (/\p{Ll}-$/u.test(before) && /^\p{Ll}/u.test(text) && !/^(?:und|oder|bzw|and|or|sowie)\b/.test(text)) {
      parts[parts.length - 1] = before.slice(0, -1);
      length -= 1;
      parts.push(text);
      length += text.length;
    } else {
      parts.push(` ${text}`);
      length += text.length + 1;
    }
    const last = flow.paragraphs.at(-1);
    if (last) last.end = length;
  }
}

/** A marker that stands alone on its line belongs to the text below it. */
function isLone(parts: readonly string[]): boolean {
  return LONE_MARKER.test((parts.at(-1) ?? '').trim());
}

/** Tables as rows with their head; no front matter, tags, emphasis, links or entities. */
function withoutMarkup(source: string): string {
  return source
    .replace(/^\ufeff?---\r?\n[\s\S]{0,5000}?\r?\n---\r?\n/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<table\b[^>]*>([\s\S]*?)<\/table>/gi, (_, table: string) => htmlTable(table))
    .replace(/^[^\n|]*\|[^\n]*\n\s*\|?\s*:?-{2,}:?\s*\|[\s:|-]*\n(?:[^\n|]*\|[^\n]*\n?)*/gm, pipeTable)
    .replace(/<(?:sup|a)\b[^>]*>\s*\d*\s*<\/(?:sup|a)>/gi, '')
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/!?\[([^\][]*)\]\([^()\s]*\)/g, '$1')
    .replace(/(\*\*|__)(?=\S)(.+?)\1/g, '$2')
    .replace(/&(#\d+|#x[\da-f]+|\w+);/gi, (whole, name: string) => entity(name) ?? whole)
    .replace(/^% ?/gm, '')
    .replace(/\\([\\`*_{}[\]()#+.!-])/g, '$1');
}

/** Rows of a table on lines of their own, marked as such. */
function toldRows(rows: readonly (readonly ToldCell[])[]): string {
  return `\n\n${tellTable(rows)
    .map((row) => `${ROW}${row}`)
    .join('\n\n')}\n\n`;
}

function htmlTable(table: string): string {
  const rows = [...table.matchAll(/<tr\b[^>]*>([\s\S]*?)(?=<\/tr>|<tr\b|$)/gi)].map(([, row = '']) =>
    [...row.matchAll(/<(t[dh])\b([^>]*)>([\s\S]*?)(?=<\/t[dh]>|<t[dh]\b|$)/gi)].map(
      ([, name = '', attributes = '', text = '']): ToldCell => ({
        text: text
          .replace(/<[^<>]*>/g, ' ')
          .replace(/\s+/g, ' ')
          .trim(),
        head: name.toLowerCase() === 'th',
        columns: spanOf(attributes, 'colspan'),
        rows: spanOf(attributes, 'rowspan'),
      }),
    ),
  );
  return toldRows(rows);
}

function spanOf(attributes: string, name: string): number {
  const found = new RegExp(`${name}\\s*=\\s*["']?(\\d{1,3})`, 'i').exec(attributes)?.[1];
  return Math.max(1, Number(found ?? 1));
}

/** `| a | b |` with a line of dashes below its head, as GitHub writes tables. */
function pipeTable(lines: string): string {
  const rows = lines
    .trim()
    .split('\n')
    .filter((line) => !/^\s*\|?[\s:|-]+\|?\s*$/.test(line))
    .map((line, i) =>
      line
        .trim()
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((text): ToldCell => ({ text: text.trim(), head: i === 0, columns: 1, rows: 1 })),
    );
  return toldRows(rows);
}

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()];
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code < 0x11_0000 ? String.fromCodePoint(code) : undefined;
}
