import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { captureFile, present, readWith } from './archive.ts';

const FILE = 'tasmota/tasmota_energy_payloads.jsonl';
type Energy = Record<string, number | string>;
type Line = { topic: string; payload: string };

/** Of each field of ENERGY: our quantity; powers in W, Total in kWh. */
const FIELDS: Record<string, string> = {
  Power: 'power_W',
  ApparentPower: 'apparent_power_VA',
  ReactivePower: 'reactive_power_var',
  Factor: 'power_factor_ratio',
  Voltage: 'voltage_V',
  Current: 'current_A',
  Total: 'import_kWh',
};

describe.skipIf(!present(FILE))('Tasmota (LUNA_BENCH_DATA)', () => {
  const text = present(FILE) ? readFileSync(captureFile(FILE), 'utf8') : '';
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

  it('has six payloads', () => expect(lines).toHaveLength(6));
  it.each(lines.map((line, i) => [i, line.topic, line] as const))('%i %s', async (_, topic, { payload }) => {
    const body = JSON.parse(payload) as { ENERGY?: Energy; StatusSNS?: { ENERGY: Energy } };
    const energy = body.ENERGY ?? body.StatusSNS!.ENERGY;
    const expected = Object.fromEntries(
      Object.entries(FIELDS).flatMap(([field, quantity]) =>
        energy[field] === undefined ? [] : [[quantity, energy[field]]],
      ),
    );
    const device = topic.split('/')[1]!;
    if (body.ENERGY)
      expect(await readWith('tasmota-plug', { topic: device, messages: [{ topic, payload }] })).toEqual(expected);
    const status = body.StatusSNS ?? { ENERGY: energy };
    const responses = { '/cm?cmnd=Status%208': { StatusSNS: status }, '/cm?cmnd=Status%202': {} };
    expect(await readWith('tasmota-http', { responses })).toEqual(expected);
    for (const number of [8, 10]) {
      const asked = [{ topic: `stat/${device}/STATUS${number}`, payload: { StatusSNS: status } }];
      expect(await readWith('tasmota-plug', { topic: device, messages: asked })).toEqual(expected);
    }
  });
});
