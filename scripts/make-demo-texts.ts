/**
 * Makes the demo's regulation PDFs (gateway/demo/regulation/) from public law texts: sections of the German
 * Energiewirtschaftsgesetz (official work, § 5 UrhG) and articles of Directive (EU) 2019/944 (reuse under Decision
 * 2011/833/EU). Run with LUNA_BENCH_DATA at the folder of texts: `node scripts/make-demo-texts.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PDFDocument, type PDFFont, type PDFPage, StandardFonts } from 'pdf-lib';

type Section = { heading: string; paragraphs: string[] };
type Text = { file: string; title: string; source: string; sections: Section[] };

const DATA = process.env.LUNA_BENCH_DATA ?? join(import.meta.dirname, '..', '..', 'shared', 'data');
const OUT = join(import.meta.dirname, '..', 'gateway', 'demo', 'regulation');
const PAGE = { width: 595, height: 842, left: 64, right: 64, top: 72, bottom: 72 };
const BODY = 10.5;
const HEADING = 13;
const LEADING = 1.42;

const ENWG = ['14a', '14c', '18', '20a', '40', '40a', '40b', '40c', '41', '41a', '42b'];
const ARTICLES = [11, 15, 17, 19, 20, 21, 23];

function gunzip(...path: string[]): string {
  return gunzipSync(readFileSync(join(DATA, 'regulation', ...path))).toString('utf8');
}

function enwg(): Text {
  const law = gunzip('de_law', 'EnWG.md.gz');
  const parts = law.split(/^# (?=§ )/m).slice(1);
  const sections = ENWG.flatMap((number) => {
    const part = parts.find((one) => one.startsWith(`§ ${number} –`));
    if (!part) throw new Error(`EnWG has no § ${number}`);
    const [heading = '', ...rest] = part.split('\n');
    return [{ heading: heading.replace(' – ', ' '), paragraphs: paragraphsOf(rest.join('\n').split(/^#/m)[0] ?? '') }];
  });
  return {
    file: 'enwg-auszug.pdf',
    title: 'Energiewirtschaftsgesetz (EnWG) - Auszug',
    source: 'Amtlicher Text, gemeinfrei (§ 5 UrhG). Auszug für die Vorführung, ohne Gewähr.',
    sections,
  };
}

function directive(): Text {
  const text = (JSON.parse(gunzip('eu', '32019L0944.json.gz')) as { reference: string }).reference;
  const sections = ARTICLES.map((number) => {
    const start = text.indexOf(`\nArticle ${number}\n`) + 1;
    const end = text.indexOf(`\nArticle ${number + 1}\n`, start);
    const [, title = '', ...rest] = text.slice(start, end).split('\n');
    return {
      heading: `Article ${number} ${title}`,
      paragraphs: joined(rest.filter((line) => !/^CHAPTER|^Section/.test(line))),
    };
  });
  return {
    file: 'eu-2019-944-extract.pdf',
    title: 'Directive (EU) 2019/944 on common rules for the internal market for electricity - extract',
    source: 'Source: EUR-Lex, © European Union, reuse under Decision 2011/833/EU. Extract for the demo.',
    sections,
  };
}

function paragraphsOf(markdown: string): string[] {
  return markdown
    .replace(/<[^>]+>/g, ' ')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter(Boolean);
}

/** A number or letter that stands on a line of its own belongs to the next one. */
function joined(lines: readonly string[]): string[] {
  const found: string[] = [];
  let mark = '';
  for (const line of lines.map((one) => one.replace(/\s+/g, ' ').trim()).filter(Boolean)) {
    if (/^\([a-z0-9]+\)$/.test(line)) mark = `${line} `;
    else {
      found.push(mark + line);
      mark = '';
    }
  }
  return found;
}

/** Characters that the built-in fonts lack. */
function plain(text: string): string {
  return text
    .replace(/[\u00ad\u200b\u2060]/g, '')
    .replace(/[\u00a0\u2007\u2009\u202f]/g, ' ')
    .replace(/[‐‑−]/g, '-');
}

async function render({ file, title, source, sections }: Text): Promise<void> {
  const document = await PDFDocument.create();
  document.setTitle(title);
  // the same bytes from the same text
  document.setCreationDate(new Date(0));
  document.setModificationDate(new Date(0));
  const body = await document.embedFont(StandardFonts.TimesRoman);
  const bold = await document.embedFont(StandardFonts.HelveticaBold);
  let page: PDFPage | undefined;
  let y = 0;
  const line = (text: string, font: PDFFont, size: number) => {
    if (!page || y < PAGE.bottom + size) {
      page = document.addPage([PAGE.width, PAGE.height]);
      y = PAGE.height - PAGE.top;
    }
    page.drawText(text, { x: PAGE.left, y, size, font });
    y -= size * LEADING;
  };
  const block = (text: string, font: PDFFont, size: number) => {
    for (const row of wrapped(plain(text), font, size)) line(row, font, size);
  };
  block(title, bold, 17);
  y -= 4;
  block(source, body, 9);
  for (const { heading, paragraphs } of sections) {
    y -= 14;
    if (y < PAGE.bottom + 60) page = undefined;
    block(heading, bold, HEADING);
    for (const paragraph of paragraphs) {
      y -= 4;
      block(paragraph, body, BODY);
    }
  }
  const pages = document.getPages();
  for (const [i, one] of pages.entries())
    one.drawText(`${i + 1} / ${pages.length}`, { x: PAGE.width / 2 - 12, y: 40, size: 9, font: body });
  const bytes = await document.save();
  writeFileSync(join(OUT, file), bytes);
  console.log(`${file}: ${pages.length} pages, ${bytes.length} bytes`);
}

function wrapped(text: string, font: PDFFont, size: number): string[] {
  const width = PAGE.width - PAGE.left - PAGE.right;
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (font.widthOfTextAtSize(longer, size) <= width) row = longer;
    else {
      rows.push(row);
      row = word;
    }
  }
  return [...rows, row];
}

await render(enwg());
await render(directive());
