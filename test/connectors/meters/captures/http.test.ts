import { describe, expect, it } from 'vitest';
import { present, readWith, unpack } from './archive.ts';

type Json = Record<string, unknown>;
const HOMEWIZARD = 'homewizard/homewizard_fixtures.tar.gz';
const SHELLY = 'shelly/aioshelly_fixtures.tar.gz';

/** Of each field that the vendor documents: our quantity and the factor to our unit. */
const API_V1: Record<string, [quantity: string, factor: number]> = {
  active_power_w: ['power_W', 1],
  active_power_l1_w: ['power_l1_W', 1],
  active_power_l2_w: ['power_l2_W', 1],
  active_power_l3_w: ['power_l3_W', 1],
  active_voltage_v: ['voltage_V', 1],
  active_voltage_l1_v: ['voltage_l1_V', 1],
  active_voltage_l2_v: ['voltage_l2_V', 1],
  active_voltage_l3_v: ['voltage_l3_V', 1],
  active_current_a: ['current_A', 1],
  active_current_l1_a: ['current_l1_A', 1],
  active_current_l2_a: ['current_l2_A', 1],
  active_current_l3_a: ['current_l3_A', 1],
  active_apparent_power_va: ['apparent_power_VA', 1],
  active_reactive_power_var: ['reactive_power_var', 1],
  active_power_factor: ['power_factor_ratio', 1],
  active_frequency_hz: ['frequency_Hz', 1],
};

/** The profile of each product, by the folder of its fixtures. */
const PRODUCTS: Record<string, string> = {
  'HWE-P1': 'homewizard-p1',
  'HWE-KWH1': 'homewizard-kwh',
  'HWE-KWH3': 'homewizard-kwh',
  'SDM230-wifi': 'homewizard-kwh',
  'SDM630-wifi': 'homewizard-kwh',
  'HWE-SKT': 'homewizard-socket',
  'HWE-WTR': 'homewizard-water',
};

/** What a v1 answer means, worked out from its fields without the profile. */
function meaningOf(product: string, data: Json): Record<string, number> {
  const values: Record<string, number> = {};
  const number = (key: string) => (typeof data[key] === 'number' ? (data[key] as number) : undefined);
  const known = Object.entries(API_V1).filter(
    ([key]) => product !== 'HWE-P1' || !/apparent|reactive|_voltage_v|_current_a$|factor/.test(key),
  );
  for (const [key, [quantity, factor]] of known) {
    const value = number(key);
    if (value !== undefined && (product !== 'HWE-SKT' || !/_l1_/.test(key))) values[quantity] = value * factor;
  }
  for (const [way, quantity] of [
    ['import', 'import_kWh'],
    ['export', 'export_kWh'],
  ] as const) {
    const [total, t1, t2] = ['', '_t1', '_t2'].map((part) => number(`total_power_${way}${part}_kwh`));
    const sum = total ?? (t2 === undefined ? (product === 'HWE-P1' ? undefined : t1) : t1! + t2);
    if (sum !== undefined) values[quantity] = Number(sum.toPrecision(14));
  }
  const external = (data.external ?? []) as { type?: string; value?: number }[];
  const of = (type: string) => external.find((entry) => entry.type === type)?.value;
  const gas = of('gas_meter') ?? number('total_gas_m3');
  if (product === 'HWE-P1' && gas !== undefined) values['gas gas_m3'] = gas;
  const water = of('water_meter');
  if (product === 'HWE-P1' && water !== undefined) values['water water_m3'] = water;
  if (product === 'HWE-WTR') values.water_m3 = number('total_liter_m3')!;
  return values;
}

/** What a v2 measurement means, worked out from its fields without the profile. */
function meaningOfV2(product: string, data: Json): Record<string, number> {
  const away = product === 'HWE-BAT' ? -1 : 1;
  const values: Record<string, number> = {};
  const number = (key: string) => (typeof data[key] === 'number' ? (data[key] as number) : undefined);
  const put = (name: string, value: number | undefined) => {
    if (value !== undefined) values[name] = value;
  };
  put('power_W', number('power_w') === undefined ? undefined : away * number('power_w')!);
  if (product !== 'HWE-P1') {
    put('current_A', number('current_a') === undefined ? undefined : away * number('current_a')!);
    put('voltage_V', number('voltage_v'));
  }
  put('frequency_Hz', number('frequency_hz'));
  put('soc_percent', number('state_of_charge_pct'));
  put('apparent_power_VA', number('apparent_power_va'));
  put('reactive_power_var', number('reactive_power_var'));
  put('power_factor_ratio', number('power_factor'));
  for (const i of [1, 2, 3]) {
    put(`power_l${i}_W`, number(`power_l${i}_w`));
    put(`voltage_l${i}_V`, number(`voltage_l${i}_v`));
    put(`current_l${i}_A`, number(`current_l${i}_a`));
  }
  if (product !== 'HWE-BAT')
    for (const way of ['import', 'export']) {
      const [total, t1, t2] = ['', '_t1', '_t2'].map((part) => number(`energy_${way}${part}_kwh`));
      put(
        `${way}_kWh`,
        total ?? (t1 === undefined || t2 === undefined ? undefined : Number((t1 + t2).toPrecision(14))),
      );
    }
  const external = (data.external ?? []) as { type?: string; value?: number }[];
  put('gas gas_m3', external.find(({ type }) => type === 'gas_meter')?.value);
  put('water water_m3', external.find(({ type }) => type === 'water_meter')?.value);
  return values;
}

describe.skipIf(!present(HOMEWIZARD))('HomeWizard, API v1 (LUNA_BENCH_DATA)', () => {
  const archive = unpack(HOMEWIZARD);
  const v1 = archive.files.filter((file) => /\/v1\/fixtures\/.*\/data\w*\.json$/.test(file));
  const products = v1.filter((file) => !file.includes('exceptions'));

  it('has fixtures of every product', () =>
    expect([...new Set(products.map((file) => file.split('/').at(-2)!))].sort()).toEqual(Object.keys(PRODUCTS).sort()));
  it.each(products)('%s', async (file) => {
    const product = file.split('/').at(-2)!;
    const data = archive.json<Json>(file);
    const got = await readWith(PRODUCTS[product]!, { responses: { '/api/v1/data': data, '/api': {} } });
    expect(got).toEqual(meaningOf(product, data));
    expect(Object.keys(got).length).toBeGreaterThan(0);
  });
  it.each(v1.filter((file) => file.includes('exceptions')))('%s gives nothing but what is a number', async (file) => {
    const got = await readWith('homewizard-p1', {
      responses: { '/api/v1/data': archive.json<Json>(file), '/api': {} },
    });
    for (const [name, value] of Object.entries(got)) {
      expect(name).toMatch(/^(?:gas gas_m3|water water_m3)$/);
      expect(Number.isFinite(value)).toBe(true);
    }
  });
  const v2 = archive.files.filter((file) => /measurement\w*\.json$/.test(file));
  const PRODUCTS_V2: Record<string, string> = {
    'HWE-P1': 'homewizard-p1-v2',
    'HWE-KWH1': 'homewizard-kwh-v2',
    'HWE-KWH3': 'homewizard-kwh-v2',
    'HWE-BAT': 'homewizard-battery',
  };
  it.each(v2)('%s (API v2)', async (file) => {
    const product = file.split('/').at(-2)!;
    const data = archive.json<Json>(file);
    const got = await readWith(PRODUCTS_V2[product]!, { responses: { '/api/measurement': data, '/api': {} } });
    expect(got).toEqual(meaningOfV2(product, data));
  });
  it('its telegram was edited by hand, and its checksum says so', async () => {
    for (const file of archive.files.filter((name) => name.endsWith('telegram.txt'))) {
      const messages = [{ topic: 'p1', payload: archive.text(file) }];
      await expect(readWith('dsmr-p1-telegram', { topic: 'p1', messages })).rejects.toThrow(
        /checksum 1F28 does not fit/,
      );
    }
  });
});

type Status = { status: Record<string, Json & { meters?: Json[] }> };
const numberAt = (root: unknown, ...keys: (string | number)[]) => {
  const value = keys.reduce<unknown>((inner, key) => (inner as Json | undefined)?.[key as string], root);
  return typeof value === 'number' ? value : undefined;
};
const given = (entries: [name: string, value: number | undefined][]) =>
  Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== undefined));
const thousandth = (value: number | undefined) =>
  value === undefined ? undefined : Number((value / 1000).toPrecision(15));

describe.skipIf(!present(SHELLY))('Shelly (LUNA_BENCH_DATA)', () => {
  const archive = unpack(SHELLY);
  const devices = archive.files.filter((file) => /fixtures\/gen\d_/.test(file));

  it('leaves out no device', () => {
    const known = /gen1_|gen2_.*(?:Plug|1PM|4PM|Pro 3_|Pro 3EM|BLU|Wall)/;
    expect(devices.filter((file) => !known.test(file))).toEqual([]);
  });
  it('has devices of both generations', () => {
    expect(devices.filter((file) => file.includes('gen1_')).length).toBeGreaterThanOrEqual(4);
    expect(devices.filter((file) => file.includes('gen2_')).length).toBeGreaterThanOrEqual(8);
  });
  it.each(devices.filter((file) => file.includes('gen1_')))('%s over HTTP', async (file) => {
    const { status } = archive.json<{ status: Json }>(file);
    const total_Wmin = numberAt(status, 'meters', 0, 'total');
    const expected = given([
      ['power_W', numberAt(status, 'meters', 0, 'power')],
      ['import_kWh', total_Wmin === undefined ? undefined : Number((total_Wmin / 60_000).toPrecision(15))],
      ['temperature_C', numberAt(status, 'temperature')],
    ]);
    expect(await readWith('shelly-plug-s-http', { responses: { '/status': status, '/shelly': {} } })).toEqual(expected);
  });
  it.each(devices.filter((file) => /gen2_.*(?:Plug|1PM|4PM|Pro 3_)/.test(file)))(
    '%s over HTTP and MQTT',
    async (file) => {
      const { status } = archive.json<Status>(file);
      const one = status['switch:0'];
      const expected = given([
        ['power_W', numberAt(one, 'apower')],
        ['voltage_V', numberAt(one, 'voltage')],
        ['current_A', numberAt(one, 'current')],
        ['frequency_Hz', numberAt(one, 'freq')],
        ['import_kWh', thousandth(numberAt(one, 'aenergy', 'total'))],
        ['temperature_C', numberAt(one, 'temperature', 'tC')],
      ]);
      const responses = { '/rpc/Shelly.GetStatus': status, '/rpc/Shelly.GetDeviceInfo': {} };
      expect(await readWith('shelly-plus-plug-s-http', { responses })).toEqual(expected);
      const messages = [{ topic: 'plug/status/switch:0', payload: one }];
      expect(await readWith('shelly-plus-plug-s', { topic: 'plug', messages })).toEqual(expected);
    },
  );
  it.each(devices.filter((file) => file.includes('Pro 3EM')))('%s over HTTP and MQTT', async (file) => {
    const { status } = archive.json<Status>(file);
    const [em, data] = [status['em:0'], status['emdata:0']];
    const expected = given([
      ['power_W', numberAt(em, 'total_act_power')],
      ...(['a', 'b', 'c'] as const).map((phase, i): [string, number | undefined] => [
        `power_l${i + 1}_W`,
        numberAt(em, `${phase}_act_power`),
      ]),
      ...(['a', 'b', 'c'] as const).map((phase, i): [string, number | undefined] => [
        `voltage_l${i + 1}_V`,
        numberAt(em, `${phase}_voltage`),
      ]),
      ['import_kWh', thousandth(numberAt(data, 'total_act'))],
      ['export_kWh', thousandth(numberAt(data, 'total_act_ret'))],
    ]);
    const responses = { '/rpc/Shelly.GetStatus': status, '/rpc/Shelly.GetDeviceInfo': {} };
    expect(await readWith('shelly-pro-3em-http', { responses })).toMatchObject(expected);
    const messages = ['em:0', 'emdata:0'].map((key) => ({ topic: `m/status/${key}`, payload: status[key] }));
    expect(await readWith('shelly-pro-3em', { topic: 'm', messages })).toMatchObject(expected);
  });
  it.each(devices.filter((file) => /gen2_.*(?:BLU|Wall)/.test(file)))('%s measures no energy', async (file) => {
    const { status } = archive.json<Status>(file);
    const responses = { '/rpc/Shelly.GetStatus': status, '/rpc/Shelly.GetDeviceInfo': {} };
    const got = await readWith('shelly-plus-plug-s-http', { responses });
    expect(Object.keys(got).filter((name) => /kWh|_W$/.test(name))).toEqual([]);
  });
});
