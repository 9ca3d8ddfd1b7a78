/** Archives and texts: packed, without line ends, or written to make patterns go back and forth. */
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { type Bomb, bodyBomb, bytesOf, documentBomb, MB } from './bomb.ts';

/** A zip of one member that says it holds `bytes` zeros. */
function zip(name: string, bytes: number): Uint8Array {
  const chunk = deflateRawSync(Buffer.alloc(MB), { finishFlush: constants.Z_FULL_FLUSH });
  const end = deflateRawSync(Buffer.alloc(0));
  const data = Buffer.concat([...Array.from({ length: bytes / MB }, () => chunk), end]);
  const file = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(data.length, 18);
  local.writeUInt32LE(bytes >>> 0, 22);
  local.writeUInt16LE(file.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(data.length, 20);
  central.writeUInt32LE(bytes >>> 0, 24);
  central.writeUInt16LE(file.length, 28);
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50, 0);
  tail.writeUInt16LE(1, 8);
  tail.writeUInt16LE(1, 10);
  tail.writeUInt32LE(46 + file.length, 12);
  tail.writeUInt32LE(30 + file.length + data.length, 16);
  return Buffer.concat([local, file, data, central, file, tail]);
}

export function textBombs(): Bomb[] {
  const archive = zip('word/document.xml', 2000 * MB);
  const documents: [string, string, () => Uint8Array | string][] = [
    ['a zip of 2 GB as a PDF', 'bomb.pdf', () => archive],
    ['a zip of 2 GB as Markdown', 'bomb.md', () => archive],
    ['a zip of 2 GB as a Word file', 'bomb.docx', () => archive],
    ['a gzip of 1 GB as text', 'bomb.txt', () => gzipSync(Buffer.alloc(1000 * MB))],
    ['one line of 50 MB', 'bomb.md', () => 'word '.repeat(10 * MB)],
    ['one word of 11 MB', 'bomb.txt', () => 'a'.repeat(11 * MB)],
    ['a million headings', 'bomb.md', () => '# Heading\n'.repeat(MB)],
    ['ten million empty lines', 'bomb.md', () => `a${'\n'.repeat(10 * MB)}b`],
    ['11 MB of spaces', 'bomb.md', () => `a${' '.repeat(11 * MB)}b`],
    ['a million section marks', 'bomb.txt', () => '§ 1 '.repeat(MB)],
    ['numbers like a table of contents, without end', 'bomb.txt', () => `Text ${'1.'.repeat(5 * MB)}`],
    ['five million dots', 'bomb.txt', () => `Heading ${'. '.repeat(5.5 * MB)}`],
    ['nested quotes', 'bomb.md', () => `${'>'.repeat(5 * MB)} a`],
    ['nested lists', 'bomb.md', () => Array.from({ length: 5000 }, (_, i) => `${' '.repeat(i)}- a`).join('\n')],
    ['a table of a million columns', 'bomb.md', () => `|${'a|'.repeat(MB)}\n|${'-|'.repeat(MB)}\n|${'1|'.repeat(MB)}`],
    ['opened tags without end', 'bomb.md', () => '<div '.repeat(2.2 * MB)],
    ['broken hyphenation without end', 'bomb.txt', () => 'wo-\n'.repeat(2.7 * MB)],
    ['combining characters on one letter', 'bomb.txt', () => `a${'\u0301'.repeat(5.5 * MB)} is a word of the rule.`],
  ];
  const loads: [string, () => Uint8Array | string][] = [
    ['a zip of 2 GB as readings', () => archive],
    ['a gzip of 1 GB as readings', () => gzipSync(Buffer.alloc(1000 * MB))],
    ['a CSV line of 60 MB', () => `at,meter,power_W\n${'1'.repeat(60 * MB)}`],
    ['a CSV header of 50 MB', () => `at,${'x,'.repeat(25 * MB)}\n1,2\n`],
    ['a CSV quote that never ends', () => `at,meter,power_W\n2026-01-01T00:00:00Z,"hall${'\n1,2,3'.repeat(8 * MB)}`],
    ['CSV quotes without end', () => `at,meter,power_W\n${'"'.repeat(30 * MB)}`],
    ['a JSON array of 50 MB of brackets', () => '['.repeat(50 * MB)],
    ['JSON lines 50 MB deep', () => '{"a":'.repeat(10 * MB)],
    ['a JSON array of ten million nulls', () => `[${'null,'.repeat(10 * MB)}null]`],
    ['a JSON line with a million keys', () => `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}\n`],
  ];
  return [
    ...documents.map(([name, file, make]) => documentBomb(name, file, asBytes(make()))),
    ...loads.map(([name, make]) => bodyBomb(name, '/api/v1/data/load?name=bomb', 'text/csv', asBytes(make()))),
  ];
}

function asBytes(made: Uint8Array | string): Uint8Array {
  return typeof made === 'string' ? bytesOf(made) : made;
}
