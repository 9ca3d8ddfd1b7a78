import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { ZONES } from '../../engine/model/clock-changes.ts';
import { changingDays, openDaylightRig } from './daylight-saving-rig.ts';

/** Where clocks change, tariffs have 92, 96 or 100 quarter hours: against the rules' own words. */
const PRICE = 0.4;
let rig: Awaited<ReturnType<typeof openDaylightRig>>;
beforeAll(async () => {
  rig = await openDaylightRig();
});
afterAll(() => rig.close());

describe('daylight saving in tariffs', () => {
  for (const oracle of ZONES)
    it(`${oracle.zone}: a fixed price costs 92, 96 or 100 times a quarter hour, in every year`, async () => {
      rig.setSite(oracle.zone, { kind: 'fixed', per_kWh: PRICE, vat_percent: 0 });
      for (const { from_ms, slots } of changingDays(oracle)) {
        const cost = await rig.data.cost('a', from_ms, from_ms + slots * SLOT_MS);
        expect(cost.amount).toBeCloseTo(slots * PRICE, 9);
      }
    });
});
