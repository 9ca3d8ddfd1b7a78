/** A sample of `bench -- crash`: the whole box, killed under load. */
import { expect, it } from 'vitest';
import { copyTemplate } from '../setup/database.ts';
import { run } from './crash.bench.ts';

it('loses nothing and needs no repair when the box is killed under load over MQTT, HTTP and Modbus', {
  timeout: 120_000,
}, async () => {
  const result = await run({ kills: '2', seed: '3', meters: '3' }, () => {}, copyTemplate);
  expect(result).toMatchObject({ kills: 2, lost: 0, duplicated: 0, repairs: 0 });
  expect(result.acknowledged).toBeGreaterThan(20);
  // The promise is 3 s on two idle cores; machines that build share theirs.
  expect(result.start_max_s).toBeLessThan(20);
});
