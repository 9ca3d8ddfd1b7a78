import { beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { DemandRequest, PriceProvider } from '../../../engine/ports.ts';
import { createDemand } from '../../../gateway/services/prices/demand.ts';
import type { Run } from '../../../gateway/services/prices/runs.ts';
import type { Demand } from '../../../gateway/services.ts';

const NOW = Date.parse('2026-06-10T06:00Z');
const asked = { area: 'HB_HOUSTON', kind: 'forecast', from_ms: NOW, to_ms: NOW + 2 * HOUR_MS } as const;
const signal = new AbortController().signal;
let now_ms = NOW;
let calls: DemandRequest[];
let runs: Run[];
let down = false;
beforeEach(() => {
  [now_ms, calls, runs, down] = [NOW, [], [], false];
});

const prices = { markets: [], fetch: () => Promise.reject(new Error('not asked')) };
const providers: PriceProvider[] = [
  { ...prices, name: 'prices-only', serves: () => true },
  {
    ...{ ...prices, name: 'grid', serves: (area) => area === 'HB_HOUSTON' },
    async fetchDemand(request) {
      calls.push(request);
      if (down) throw new UnavailableError('grid is down.');
      return [{ at_ms: request.from_ms, power_MW: 60_000 }];
    },
  },
];
const open = () =>
  createDemand({
    clock: { now: () => now_ms },
    providers: () => providers,
    runs: { record: async (run) => void runs.push(run) },
  });

describe('demand of the power system', () => {
  it('asks the source that tells it once a quarter of an hour, and logs the run', async () => {
    const demand = open();
    const answers: Demand[] = await Promise.all([demand(asked, signal), demand(asked, signal)]);
    now_ms += HOUR_MS / 8;
    answers.push(await demand(asked, signal));
    expect(answers[2]).toEqual({
      ...{ area: 'HB_HOUSTON', kind: 'forecast', source: 'grid', fetched_ms: NOW },
      hours: [{ at_ms: NOW, power_MW: 60_000 }],
    });
    expect(calls).toHaveLength(1);
    expect(runs).toMatchObject([{ provider: 'grid', market: 'demand-forecast', rows: 1, fault: null }]);
    now_ms += HOUR_MS / 4;
    await demand(asked, signal);
    await demand({ ...asked, kind: 'actual' }, signal);
    expect(calls.map(({ kind }) => kind)).toEqual(['forecast', 'forecast', 'actual']);
  });

  it('keeps no failure, and says where no source tells it', async () => {
    const demand = open();
    down = true;
    await expect(demand(asked, signal)).rejects.toThrow('grid is down.');
    expect(runs).toMatchObject([{ rows: 0, fault: 'grid is down.' }]);
    down = false;
    expect((await demand(asked, signal)).hours).toHaveLength(1);
    expect(() => demand({ ...asked, area: 'DE-LU' }, signal)).toThrow(/No configured source/);
  });
});
