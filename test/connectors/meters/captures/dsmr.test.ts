import { describe, expect, it } from 'vitest';
import { decodeTelegram, dsmrTime } from '../../../../connectors/meters/profile/telegram.ts';
import { present, readWith, unpack } from './archive.ts';

const ARCHIVE = 'dsmr/dsmr_telegrams.tar.gz';
const phases = (stem: string, unit: string, values: readonly (number | undefined)[]) =>
  Object.fromEntries(values.flatMap((v, i) => (v === undefined ? [] : [[`${stem}_l${i + 1}_${unit}`, v]])));
const W = (...values: (number | undefined)[]) => phases('power', 'W', values);
const V = (...values: number[]) => phases('voltage', 'V', values);
const A = (...values: number[]) => phases('current', 'A', values);

/** What each telegram says, read by eye: power in W, energy in kWh, volumes in m³. */
const EXPECTED: Record<string, Record<string, number>> = {
  'TELEGRAM_V2_2.txt': { power_W: 1010, import_kWh: 2.002, export_kWh: 2.002, 'gas gas_m3': 1.001 },
  'TELEGRAM_V3.txt': { power_W: 1190, import_kWh: 24691.356, export_kWh: 24691.356, 'gas gas_m3': 1.001 },
  'TELEGRAM_V4_2.txt': {
    power_W: 2027,
    ...W(170, 1247, 209),
    ...A(0, 6, 2),
    import_kWh: 3016.829,
    export_kWh: 0,
    'gas gas_m3': 981.443,
  },
  'TELEGRAM_V5.txt': {
    power_W: 244,
    ...W(70, 32, 142),
    ...V(230, 230, 229),
    ...A(0.48, 0.44, 0.86),
    import_kWh: 6.825,
    export_kWh: 2.444,
    'gas gas_m3': 0.107,
  },
  'TELEGRAM_V5_TWO_MBUS.txt': {
    power_W: 111,
    ...W(56, 0, 55),
    ...V(229.9, 229.2, 222.9),
    ...A(0, 0, 1),
    import_kWh: 2375.582,
    export_kWh: 0,
    'gas gas_m3': 246.138,
  },
  'TELEGRAM_V5_EON_HU.txt': {
    power_W: -2601,
    ...V(240.4, 239.1, 241.2),
    ...A(3, 4, 3),
    import_kWh: 173.64,
    export_kWh: 627.177,
    reactive_import_kvarh: 0.123,
    reactive_export_kvarh: 303.131,
    frequency_Hz: 50,
  },
  'TELEGRAM_FLUVIUS_V171.txt': {
    power_W: 0,
    ...W(0, 0, 0),
    ...V(234.7, 234.7, 234.7),
    ...A(0, 0, 0),
    import_kWh: 15.792,
    export_kWh: 0.011,
    'gas gas_m3': 112.384,
    'water water_m3': 872.234,
  },
  'TELEGRAM_FLUVIUS_V171_ALT.txt': {
    power_W: 338,
    ...W(47, 179, 111),
    ...V(232.9, 228.1, 228.1),
    ...A(0.27, 0.88, 0.52),
    import_kWh: 571.562,
    export_kWh: 0.005,
    'gas gas_m3': 92.287,
    'water water_m3': 8.579,
  },
  'TELEGRAM_ISKRA_IE.txt': {
    power_W: -100,
    ...W(-10, -10, -10),
    ...V(242.5, 241.7, 243.3),
    ...A(0, 0, 0),
    import_kWh: 20.363,
    export_kWh: 20.563,
  },
  // This one tells W, Wh and var where the others tell kW, kWh and kvar.
  'TELEGRAM_SAGEMCOM_T210_D_R.txt': {
    power_W: 286,
    import_kWh: 6545.766,
    export_kWh: 0.058,
    reactive_power_var: -166,
    reactive_import_kvarh: 0.747,
    reactive_export_kvarh: 3897.726,
  },
  'TELEGRAM_ESY5Q3DA1004_V304.txt': { power_W: 1688.21, ...W(557.29, 521.62, 609.3), import_kWh: 32549.5061662 },
  'TELEGRAM_ESY5Q3DB1024_V304.txt': {
    power_W: 2124.86,
    ...W(747.85, 737.28, 639.73),
    import_kWh: 52185.7825309,
    export_kWh: 19949.3221493,
  },
  // A heat meter with a checksum of three digits: 240.860 GJ.
  'TELEGRAM_UNPADDED_CRC.txt': { heat_kWh: 66905.5555555556 },
};

describe.skipIf(!present(ARCHIVE))('P1 telegrams (LUNA_BENCH_DATA)', () => {
  const archive = unpack(ARCHIVE);
  /** The heat meter has a profile of its own. */
  const read = (file: string) =>
    readWith(file.includes('UNPADDED') ? 'warmtelink-p1' : 'dsmr-p1-telegram', {
      topic: 'p1',
      messages: [{ topic: 'p1', payload: archive.text(file) }],
    });

  it('knows every file', () => expect(archive.files).toEqual(Object.keys(EXPECTED).sort()));
  it.each(archive.files)('%s', async (file) => {
    const got = await read(file);
    for (const [name, value] of Object.entries(got))
      expect(value, name).toBeCloseTo(EXPECTED[file]?.[name] ?? Number.NaN, 9);
    expect(Object.keys(got).sort()).toEqual(Object.keys(EXPECTED[file] ?? {}).sort());
  });
  it.each(archive.files)('%s: any damaged digit is noticed where there is a checksum', (file) => {
    const text = archive.text(file);
    const end = text.indexOf('!');
    if (!/^[0-9A-F]{3,4}/.test(text.slice(end + 1))) return;
    for (let i = text.indexOf('/') + 1; i < end; i++) {
      if (!/\d/.test(text[i]!)) continue;
      const damaged = `${text.slice(0, i)}${(Number(text[i]) + 1) % 10}${text.slice(i + 1)}`;
      expect(() => decodeTelegram(damaged), `at ${i}`).toThrow();
    }
    expect(() => decodeTelegram(text.slice(0, end + 1))).toThrow(/no checksum|damaged/);
    expect(() => decodeTelegram(text + text)).toThrow(/more than one/);
  });
  it('the time is that of the telegram', () => {
    const telegram = decodeTelegram(archive.text('TELEGRAM_V5.txt'));
    expect(dsmrTime(telegram.get('0-0:1.0.0')?.[0])).toBe(Date.UTC(2017, 0, 2, 18, 20, 2));
  });
});
