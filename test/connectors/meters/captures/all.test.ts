/** Which test decodes which captures: none may lie there unread. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allCaptures } from './archive.ts';

const READ_BY: Record<string, string> = {
  'dsmr/dsmr_telegrams.tar.gz': 'dsmr.test.ts',
  'homewizard/homewizard_fixtures.tar.gz': 'http.test.ts',
  'shelly/aioshelly_fixtures.tar.gz': 'http.test.ts',
  'sunspec_dump/ha_sunspec_inverter_dump.tar.gz': 'sunspec.test.ts',
  'sunspec_models/sunspec_models_json.tar.gz': '../modbus/sunspec-models.test.ts',
  'tasmota/tasmota_energy_payloads.jsonl': 'tasmota.test.ts',
};

describe.skipIf(allCaptures().length === 0)('captures of devices (LUNA_BENCH_DATA)', () => {
  it('are each read by a test that compares what a profile makes of them with what their fields mean', () => {
    expect(allCaptures()).toEqual(Object.keys(READ_BY).sort());
    for (const [path, test] of Object.entries(READ_BY))
      expect(readFileSync(join(import.meta.dirname, test), 'utf8'), path).toContain(path);
  });
});
