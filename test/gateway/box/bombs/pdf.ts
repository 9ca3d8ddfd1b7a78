/** PDFs that unpack, nest or go round without end. Written by hand, because no library would write them. */
import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import { type Bomb, documentBomb, MB } from './bomb.ts';

type Piece = string | Buffer;
type Stream = { head: string; bytes: Buffer };

/** Objects by number from 1 on; the first is the catalogue. */
function pdf(objects: readonly (string | Stream)[], trailer = ''): Buffer {
  const pieces: Piece[] = ['%PDF-1.7\n'];
  const starts: number[] = [];
  const size = () => pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const [i, object] of objects.entries()) {
    starts.push(size());
    if (typeof object === 'string') pieces.push(`${i + 1} 0 obj\n${object}\nendobj\n`);
    else
      pieces.push(
        `${i + 1} 0 obj\n<< ${object.head} /Length ${object.bytes.length} >>\nstream\n`,
        object.bytes,
        '\nendstream\nendobj\n',
      );
  }
  const table = starts.map((start) => `${String(start).padStart(10, '0')} 00000 n \n`).join('');
  const at = size();
  pieces.push(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`);
  pieces.push(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`);
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));
}

const CATALOG = '<< /Type /Catalog /Pages 2 0 R >>';
const PAGES = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';
const FONT = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
const page = (resources = '/Font << /F1 5 0 R >>') =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << ${resources} >> >>`;
const onePage = (content: Stream, more: (string | Stream)[] = [FONT], resources?: string) =>
  pdf([CATALOG, PAGES, page(resources), content, ...more]);
const flat = (text: string | Buffer): Stream => ({ head: '', bytes: Buffer.from(text as string) });

/** Deflated bytes that unpack to `megabytes` times `unit`, made without unpacking them here. */
function packed(megabytes: number, unit: string): Buffer {
  const whole = Buffer.from(unit.repeat(Math.ceil(MB / unit.length)).slice(0, MB));
  const chunk = deflateRawSync(whole, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
  return Buffer.concat([Buffer.from([0x78, 0x9c]), ...Array.from({ length: megabytes }, () => chunk)]);
}
const flate = (bytes: Buffer): Stream => ({ head: '/Filter /FlateDecode', bytes });

function nestedFlate(levels: number): Stream {
  let bytes = packed(1000, ' ');
  for (let level = 1; level < levels; level++) bytes = deflateSync(bytes);
  return { head: `/Filter [${'/FlateDecode '.repeat(levels)}]`, bytes };
}

/** Each form draws the next one ten times: 10^`levels` texts. */
function laughs(levels: number): Buffer {
  const forms = Array.from({ length: levels }, (_, i): Stream => {
    const last = i === levels - 1;
    const head = `/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 5 0 R >> /XObject << /X ${6 + i + 1} 0 R >> >>`;
    return { head, bytes: Buffer.from(last ? 'BT /F1 9 Tf (ha) Tj ET' : '/X Do '.repeat(10)) };
  });
  return onePage(flat('/X Do'), [FONT, ...forms], '/Font << /F1 5 0 R >> /XObject << /X 6 0 R >>');
}

function deepPages(levels: number): Buffer {
  const nodes = Array.from({ length: levels }, (_, i) => `<< /Type /Pages /Kids [${i + 3} 0 R] /Count 1 >>`);
  return pdf([CATALOG, ...nodes, `<< /Type /Page /MediaBox [0 0 9 9] >>`]);
}

function toUnicode(body: string): Buffer {
  const font =
    '<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 6 0 R >>';
  const below =
    '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>';
  const head =
    '/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange ';
  const cmap = flate(deflateSync(Buffer.from(`${head}${body} endcmap end end`)));
  return onePage(flat('BT /F1 9 Tf <00410042> Tj ET'), [font, cmap, below]);
}

/** An xref stream whose index claims two thousand million objects. */
function hugeXref(): Buffer {
  const stream = Buffer.concat([
    Buffer.from(
      '%PDF-1.7\n1 0 obj\n<< /Type /XRef /Size 2000000000 /Index [0 2000000000] /W [1 4 2] /Root 2 0 R /Filter /FlateDecode /Length ',
    ),
    Buffer.from(`${packed(700, '\0').length} >>\nstream\n`),
    packed(700, '\0'),
    Buffer.from('\nendstream\nendobj\nstartxref\n9\n%%EOF\n'),
  ]);
  return stream;
}

/** The page lies in an object stream that unpacks to 900 MB; the cross-reference stream says so. */
function objectStream(): Buffer {
  const head = `3 0 ${' '.repeat(100)}`;
  const holder = Buffer.concat([deflateHead(head), packed(900, '<< /Type /Page /X [1 2 3] >> ').subarray(2)]);
  const pieces = [
    Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n'),
    Buffer.from('2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n'),
    Buffer.from(
      `4 0 obj\n<< /Type /ObjStm /N 1 /First ${head.length} /Filter /FlateDecode /Length ${holder.length} >>\nstream\n`,
    ),
    holder,
    Buffer.from('\nendstream\nendobj\n'),
  ];
  const whole = Buffer.concat(pieces);
  const places = ['1 0 obj', '2 0 obj', '4 0 obj'].map((name) => whole.indexOf(name));
  const at = whole.length;
  const rows = [
    [0, 0, 0],
    [1, places[0]!, 0],
    [1, places[1]!, 0],
    [2, 4, 0],
    [1, places[2]!, 0],
    [1, at, 0],
  ];
  const table = Buffer.concat(
    rows.map(([type = 0, field = 0, index = 0]) => {
      const row = Buffer.alloc(6);
      row.writeUInt8(type, 0);
      row.writeUInt32BE(field, 1);
      row.writeUInt8(index, 5);
      return row;
    }),
  );
  const xref = `5 0 obj\n<< /Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R /Length ${table.length} >>\nstream\n`;
  const tail = Buffer.from(`\nendstream\nendobj\nstartxref\n${at}\n%%EOF\n`);
  return Buffer.concat([whole, Buffer.from(xref), table, tail]);
}

/** A zlib stream's head and a first block that can be followed by raw blocks. */
function deflateHead(text: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x78, 0x9c]),
    deflateRawSync(Buffer.from(text), { finishFlush: constants.Z_FULL_FLUSH }),
  ]);
}

/** `/Prev` is the place of this very table. */
function selfPointing(): Buffer {
  const plain = pdf([CATALOG, PAGES, page(), flat('BT /F1 9 Tf (a) Tj ET'), FONT], '/Prev 0000000000');
  const at = plain.lastIndexOf('xref\n0 6');
  return Buffer.from(
    plain.toString('latin1').replace('/Prev 0000000000', `/Prev ${String(at).padStart(10, '0')}`),
    'latin1',
  );
}

const text = (operators: string) => onePage(flate(deflateSync(Buffer.from(`BT /F1 9 Tf ${operators} ET`))));

export function pdfBombs(): Bomb[] {
  const all: [string, () => Buffer][] = [
    ['a page that unpacks to 4 GB of spaces', () => onePage(flate(packed(4000, ' ')))],
    ['a page that unpacks to 1 GB of text', () => onePage(flate(packed(1000, 'BT /F1 9 Tf (all of it) Tj ET ')))],
    ['a page packed twice', () => onePage(nestedFlate(2))],
    ['a page packed four times', () => onePage(nestedFlate(4))],
    ['a page of 300 MB of digits', () => onePage(flate(packed(300, '1 ')))],
    ['a page of 500 MB of opened brackets', () => onePage(flate(packed(500, '[')))],
    ['a page of 500 MB of opened dictionaries', () => onePage(flate(packed(500, '<<')))],
    ['a page of 500 MB of opened parentheses', () => onePage(flate(packed(500, '(')))],
    ['a page of 500 MB of saved states', () => onePage(flate(packed(500, 'q ')))],
    ['a string of 800 MB', () => onePage(flate(Buffer.concat([packed(1, '('), packed(800, 'a').subarray(2)])))],
    [
      'run lengths that unpack to 500 MB',
      () => onePage({ head: '/Filter /RunLengthDecode', bytes: Buffer.from('\x81 '.repeat(4 * MB), 'latin1') }),
    ],
    [
      'hexadecimal around deflate',
      () =>
        onePage({
          head: '/Filter [/ASCIIHexDecode /FlateDecode]',
          bytes: Buffer.from(packed(2000, ' ').toString('hex')),
        }),
    ],
    ['an inline image of a gigabyte', () => onePage(flate(packed(1000, 'BI /W 9 /H 9 ID aaaaaaaa ')))],
    ['forms that draw each other a thousand million times', () => laughs(9)],
    [
      'a form that draws itself',
      () =>
        onePage(
          flat('/X Do'),
          [
            FONT,
            {
              head: '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>',
              bytes: Buffer.from('/X Do'),
            },
          ],
          '/XObject << /X 6 0 R >>',
        ),
    ],
    ['a tree of pages 20,000 deep', () => deepPages(20_000)],
    ['a tree of pages that is a circle', () => pdf([CATALOG, '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>'])],
    [
      'a count of two thousand million pages',
      () => pdf([CATALOG, '<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>', page(), flat(''), FONT]),
    ],
    [
      'the same page a million times',
      () =>
        pdf([
          CATALOG,
          `<< /Type /Pages /Kids [${'3 0 R '.repeat(MB)}] /Count ${MB} >>`,
          page(),
          flat('BT /F1 9 Tf (a) Tj ET'),
          FONT,
        ]),
    ],
    [
      'a catalogue a million arrays deep',
      () => pdf([`<< /Type /Catalog /Pages 2 0 R /X ${'['.repeat(MB)} >>`, PAGES, page(), flat(''), FONT]),
    ],
    ['a cross-reference stream of 700 MB', hugeXref],
    ['an object stream of 900 MB', objectStream],
    ['a table that points to itself', selfPointing],
    [
      'a range of four thousand million characters',
      () => toUnicode('1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange'),
    ],
    [
      'character maps of 200 MB',
      () => toUnicode('100 beginbfchar '.concat('<0041> <00410041004100410041> '.repeat(7 * MB))),
    ],
    ['a million text operators', () => text('(a) Tj '.repeat(MB))],
    ['five million kerned letters', () => text(`[${'(a) -5 '.repeat(5 * MB)}] TJ`)],
  ];
  return all.map(([name, make]) => documentBomb(name, 'bomb.pdf', make()));
}
