import { describe, expect, it } from 'vitest';
import { present, readWith, unpack } from './archive.ts';

const DUMP = 'sunspec_dump/ha_sunspec_inverter_dump.tar.gz';
const MODELS = 'sunspec_models/sunspec_models_json.tar.gz';

type Point = { name: string; type: string; size: number; sf?: string | number };
type Group = { name: string; points: Point[]; groups?: Group[] };
type Values = { [name: string]: number | string | null | Values[] | undefined };

/** What SunSpec writes where a point is not implemented, by type; sizes beyond one register are filled up. */
const ABSENT: Record<string, string> = { int16: '8000', sunssf: '8000', int32: '80000000', pad: '8000' };

function encodePoint({ name, type, size }: Point, values: Values): string {
  const value = values[name];
  if (type === 'string') return Buffer.from(String(value ?? '').padEnd(2 * size, '\0'), 'latin1').toString('hex');
  if (typeof value !== 'number') return ABSENT[type] ?? (/^acc/.test(type) ? '0000' : 'ffff').repeat(size);
  return BigInt.asUintN(16 * size, BigInt(value))
    .toString(16)
    .padStart(4 * size, '0');
}

/** A group's points, then each of its repeating groups as often as the dump has it. */
function encodeGroup(group: Group, values: Values): string {
  const own = group.points.map((point) => encodePoint(point, values)).join('');
  const repeated = (group.groups ?? []).flatMap((inner) => {
    const list = values[inner.name];
    return Array.isArray(list) ? list.map((entry) => encodeGroup(inner, entry)) : [];
  });
  return own + repeated.join('');
}

/** The scale factors that a dump leaves out. */
function scales(points: readonly Point[], scale: number): Values {
  return Object.fromEntries(points.filter(({ type }) => type === 'sunssf').map(({ name }) => [name, scale]));
}

describe.skipIf(!present(DUMP) || !present(MODELS))('SunSpec dumps (LUNA_BENCH_DATA)', () => {
  const dump = unpack(DUMP);
  const models = unpack(MODELS);

  /** The device's registers from 40000, written after SunSpec's own model files. */
  function registersOf(file: string, scale?: number): string {
    const { models: found } = dump.json<{ models: (Values & { ID: number })[] }>(file);
    const blocks = found
      .filter(({ ID }) => ID !== 0xffff)
      .map((values) => {
        const { group } = models.json<{ group: Group }>(`model_${values.ID}.json`);
        const [, , ...points] = group.points;
        const scaled = scale === undefined ? values : { ...scales(points, scale), ...values };
        const body = encodeGroup({ ...group, points }, scaled);
        return values.ID.toString(16).padStart(4, '0') + (body.length / 4).toString(16).padStart(4, '0') + body;
      });
    return `53756e53${blocks.join('')}ffff0000`;
  }

  it('has two dumps of one device', () => expect(dump.files).toHaveLength(2));
  // Model 103 of the dump has no scale factors, so that its values mean nothing; the first model 701 has them all.
  it.each(dump.files)('%s', async (file) => {
    expect(await readWith('sunspec-inverter', { holding: { '40000': registersOf(file) } })).toEqual({
      power_W: 9800,
      apparent_power_VA: 10_000,
      reactive_power_var: 200,
      power_factor_ratio: 0.985,
      frequency_Hz: 60.01,
      current_A: 41.1,
      temperature_C: 55,
      export_kWh: 150,
      import_kWh: 0,
      power_l1_W: 3200,
      power_l2_W: 3300,
      power_l3_W: 3500,
      current_l1_A: 13.7,
      current_l2_A: 13.6,
      current_l3_A: 13.8,
      voltage_l1_V: 12,
      voltage_l2_V: 12,
    });
  });
  it.each([
    ['inverter.json', 100, { export_kWh: 100 }],
    ['inverter_secondreading.json', 100, { export_kWh: 150 }],
  ])('%s with scale factors of 0 in model 103', async (name, power_factor_percent, counter) => {
    const file = dump.files.find((path) => path.endsWith(`/${name}`))!;
    expect(await readWith('sunspec-inverter', { holding: { '40000': registersOf(file, 0) } })).toMatchObject({
      power_W: 800,
      current_A: 20,
      current_l3_A: 6,
      voltage_l1_V: 232,
      frequency_Hz: 50,
      apparent_power_VA: 800,
      reactive_power_var: 800,
      power_factor_ratio: power_factor_percent / 100,
      temperature_C: 45,
      // WH of 0 means that model 103 counts nothing; 701 does.
      ...counter,
    });
  });
  it('a map that is cut short gives what is there', async () => {
    const registers = registersOf(dump.files[0]!).slice(0, 4 * 400);
    expect(await readWith('sunspec-inverter', { holding: { '40000': registers } })).toMatchObject({ power_W: 9800 });
  });
});
