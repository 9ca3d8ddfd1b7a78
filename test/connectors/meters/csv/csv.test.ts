import { describe, expect, it } from 'vitest';
import { createRowConverter } from '../../../../connectors/meters/csv/convert.ts';
import { guessMapping, parseDecimal } from '../../../../connectors/meters/csv/guess.ts';
import { decodeFileInstant } from '../../../../connectors/meters/csv/instant.ts';
import { type FileRow, inspectFile, readRows } from '../../../../connectors/meters/csv/rows.ts';

const BERLIN = 'Europe/Berlin';
const utc = (text: string) => Date.parse(text);

async function rowsOf(content: string | Uint8Array): Promise<FileRow[]> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const rows: FileRow[] = [];
  for await (const row of readRows({ bytes }, await inspectFile({ bytes }))) rows.push(row);
  return rows;
}

describe('times in files', () => {
  it.each([
    ['2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z'],
    ['2026-01-05 11:00:00+01:00', '2026-01-05T10:00:00Z'],
    ['2026-01-05 11:00', '2026-01-05T10:00:00Z'],
    ['05.01.2026 11:00:30', '2026-01-05T10:00:30Z'],
    ['5.1.26 11:00 Uhr', '2026-01-05T10:00:00Z'],
    ['2026/07/05 12:00', '2026-07-05T10:00:00Z'],
    ['31/01/2026 11:00', '2026-01-31T10:00:00Z'],
    ['05.01.2026 11:00 MEZ', '2026-01-05T10:00:00Z'],
    ['05.07.2026 11:00 UTC', '2026-07-05T11:00:00Z'],
    ['31.12.2026 24:00', '2026-12-31T23:00:00Z'],
    ['1767607200', '2026-01-05T10:00:00Z'],
    ['1767607200000', '2026-01-05T10:00:00Z'],
  ])('%s in Berlin', (text, expected) => {
    expect(decodeFileInstant(text, BERLIN)).toBe(utc(expected));
  });

  it.each(['', 'yesterday', '31.02.2026 10:00', '05.01.2026 25:00', '05/04/2026 10:00', '2026-13-01 10:00'])(
    'refuses "%s" with a sentence',
    (text) => {
      expect(decodeFileInstant(text, BERLIN)).toEqual(expect.any(String));
    },
  );

  it('needs a zone for a wall clock', () => {
    expect(decodeFileInstant('05.01.2026 11:00', null)).toMatch(/has no zone/);
  });

  it('passes the hour that autumn has twice in both passes', () => {
    let previous: number | undefined;
    const times = ['01:45', '02:00', '02:15', '02:30', '02:45', '02:00', '02:15', '02:30', '02:45', '03:00'].map(
      (clock) => {
        const at_ms = decodeFileInstant(`25.10.2026 ${clock}`, BERLIN, previous);
        previous = at_ms as number;
        return at_ms as number;
      },
    );
    const begin = utc('2026-10-24T23:45:00Z');
    expect(times).toEqual(times.map((_, i) => begin + i * 900_000));
  });

  it('refuses a time that spring skips', () => {
    expect(decodeFileInstant('29.03.2026 02:30', BERLIN)).toMatch(/does not exist in Europe\/Berlin/);
    expect(decodeFileInstant('29.03.2026 03:00', BERLIN)).toBe(utc('2026-03-29T01:00:00Z'));
  });
});

describe('numbers in files', () => {
  it.each([
    ['1.234,5', true, 1234.5],
    ['-0,25', true, -0.25],
    ['12', true, 12],
    ['1 234,5', true, 1234.5],
    ['1,234.5', false, 1234.5],
    ['1e3', false, 1000],
    ['', false, null],
    ['n/a', true, null],
    ['-', true, null],
    ['1,5', false, Number.NaN],
    ['abc', false, Number.NaN],
    ['12 kW', false, Number.NaN],
  ])('"%s" (comma %s) is %d', (cell, comma, expected) => {
    expect(parseDecimal(cell, comma)).toBe(expected);
  });
});

describe('what the columns hold', () => {
  it('takes exact names as they are', () => {
    const { mapping, problems } = guessMapping(
      ['at', 'meter', 'power_W', 'note'],
      [['2026-01-01T00:00Z', 'm', '1', 'x']],
    );
    expect(mapping).toEqual({ at: 'at', meter: 'meter', columns: { power_W: 'power_W' } });
    expect(problems).toEqual([]);
  });

  it('reads a German export: semicolons, decimal comma, kW', () => {
    const header = ['Zeitstempel', 'Wirkleistung [kW]', 'Bezug Zählerstand (Wh)', 'Bemerkung'];
    const rows = [
      ['01.01.2026 00:00', '12,5', '1.000.500,0', ''],
      ['01.01.2026 00:15', '13,0', '1.003.750,0', ''],
    ];
    const { mapping, problems } = guessMapping(header, rows);
    expect(mapping).toMatchObject({
      at: 'Zeitstempel',
      decimal_comma: true,
      columns: { 'Wirkleistung [kW]': 'power_W', 'Bezug Zählerstand (Wh)': 'import_kWh' },
    });
    expect(problems).toEqual([expect.stringMatching(/Choose the meter point/)]);
    const convert = createRowConverter(header, { ...mapping, meter_id: 'hall' }, BERLIN);
    expect(convert(rows[0]!).readings).toEqual([
      { meter: 'hall', quantity: 'power_W', at_ms: utc('2025-12-31T23:00:00Z'), value: 12_500, quality: 0 },
      { meter: 'hall', quantity: 'import_kWh', at_ms: utc('2025-12-31T23:00:00Z'), value: 1000.5, quality: 0 },
    ]);
  });

  it('joins date and time of day, and tells intervals from registers', () => {
    const header = ['Datum', 'Uhrzeit', 'Verbrauch kWh'];
    const rows = ['00:00', '00:15', '00:30'].map((clock, i) => ['01.01.2026', clock, `${3 - i},25`]);
    const { mapping } = guessMapping(header, rows);
    expect(mapping).toMatchObject({
      at: 'Datum + Uhrzeit',
      columns: { 'Verbrauch kWh': 'import_interval_kWh' },
      interval_min: 15,
      interval_stamp: 'start',
    });
    const convert = createRowConverter(header, { ...mapping, meter_id: 'm' }, BERLIN);
    const begin = utc('2025-12-31T23:00:00Z');
    expect(convert(rows[0]!).readings[0]).toMatchObject({ from_ms: begin, at_ms: begin + 900_000, value: 3.25 });
  });

  it('takes von and bis as the ends of an interval', () => {
    const header = ['von', 'bis', 'Einspeisung [kWh]'];
    const row = ['01.01.2026 00:00', '01.01.2026 00:15', '1,0'];
    const { mapping } = guessMapping(header, [row, ['01.01.2026 00:15', '01.01.2026 00:30', '0,5']]);
    expect(mapping).toMatchObject({ at: 'bis', from: 'von', columns: { 'Einspeisung [kWh]': 'export_interval_kWh' } });
    const convert = createRowConverter(header, { ...mapping, meter_id: 'm' }, BERLIN);
    expect(convert(row).readings[0]).toMatchObject({
      from_ms: utc('2025-12-31T23:00Z'),
      at_ms: utc('2025-12-31T23:15Z'),
    });
  });

  it('says what is missing, and refuses a unit that cannot be', () => {
    expect(guessMapping(['a', 'b'], []).problems.join(' ')).toMatch(/column with the time.*meter point.*quantity/);
    const convert = createRowConverter(
      ['at', 'kW'],
      { at: 'at', meter: null, meter_id: 'm', columns: { kW: 'power_W' } },
      null,
    );
    expect(convert(['2026-01-01T00:00Z', '1,5']).problems[0]).toMatch(/"1,5", which is no number; .*decimal comma/);
    expect(convert(['soon', '1']).problems[0]).toMatch(/no time/);
  });
});

describe('files', () => {
  it('reads quotes, empty lines, CRLF, a byte order mark and a preamble, and counts lines as an editor does', async () => {
    const text =
      '\ufeffExport of the plant\r\n\r\nZeit;Wert [kW]\r\n"01.01.2026 00:00";1,5\r\n\r\n01.01.2026 00:15;2,5\r\n';
    const rows = await rowsOf(text);
    expect(rows.map(({ line, cells }) => [line, cells])).toEqual([
      [3, ['Zeit', 'Wert [kW]']],
      [4, ['01.01.2026 00:00', '1,5']],
      [6, ['01.01.2026 00:15', '2,5']],
    ]);
  });

  it.each([
    [
      'windows-1252',
      Uint8Array.from(
        [...'Zeit;Z']
          .map((c) => c.charCodeAt(0))
          .concat(
            [0xe4],
            [...'hler [kWh]\n1;2\n'].map((c) => c.charCodeAt(0)),
          ),
      ),
    ],
    ['utf-16', new Uint8Array(Buffer.from('\ufeffZeit;Zähler [kWh]\n1;2\n', 'utf16le'))],
  ])('reads %s', async (_name, bytes) => {
    expect((await rowsOf(bytes))[0]!.cells).toEqual(['Zeit', 'Zähler [kWh]']);
  });

  it('reads JSON lines with a fault in one, over the edges of pieces', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `{"at":${i},"meter":"ä","power_W":${i}}`);
    lines[7] = '{"at":';
    const rows = await rowsOf(lines.join('\n'));
    expect(rows).toHaveLength(20_000);
    expect(rows[7]).toMatchObject({ line: 8, problem: expect.stringMatching(/no JSON/) });
    expect(rows.at(-1)).toEqual({ line: 20_000, value: { at: 19_999, meter: 'ä', power_W: 19_999 } });
  });

  it('reads a JSON array', async () => {
    expect(await rowsOf('[{"power_W":1},{"power_W":2}]')).toHaveLength(2);
  });

  it.each([
    ['', /empty/],
    ['\n \n', /empty/],
    ['PK\u0003\u0004\u0000\u0000', /no text/],
    ['[{"power_W":', /no JSON/],
  ])('refuses %j', async (content, why) => {
    await expect(rowsOf(content)).rejects.toThrow(why);
  });

  it('refuses a path that is not there', async () => {
    await expect(inspectFile({ path: '/nowhere/at/all.csv' })).rejects.toMatchObject({ name: 'InvalidDataError' });
  });
});
