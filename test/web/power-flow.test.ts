import { describe, expect, it } from 'vitest';
import type { MeterPoint, MeterRole } from '../../engine/model/site.ts';
import { powerFlow, STALE_MS } from '../../gateway/http/pages/power-flow.ts';
import type { LiveValue, LiveValues } from '../../gateway/services.ts';

const NOW = Date.UTC(2026, 5, 17, 12);

/** Meter points by role with their power and its age; null is a point that never sent. */
function flowOf(meters: readonly [role: MeterRole, power_W: number | null, age_ms?: number][]) {
  const points = meters.map(
    ([role], i): MeterPoint => ({
      ...{ tenant: 't', id: `m${i}`, site: 's', name: `m${i}`, role, device: null, channel: 'main' },
      ...{ parent: null, virtual: null },
    }),
  );
  const live: LiveValues = {
    of: (_, id) => {
      const [, power_W, age_ms = 0] = meters[Number(id.slice(1))]!;
      const value: LiveValue = { at_ms: NOW - age_ms, received_ms: NOW - age_ms, value: power_W ?? 0, quality: 0 };
      return new Map(power_W === null ? [] : [['power_W', value]]);
    },
    last_ms: () => null,
    recent: () => [],
  };
  return powerFlow(points, live, 't', NOW);
}

describe('power flow', () => {
  it('balances: load is what comes from grid, generation and battery', () => {
    const flow = flowOf([
      ['grid', 10_000],
      ['grid', 5_000],
      ['generation', 20_000],
      ['battery', -5_000],
      ['sub-meter', 9_999],
    ]);
    expect(flow.load).toEqual({ power_W: 30_000, stale_since_ms: null });
    expect(flow.grid?.power_W).toBe(15_000);
  });
  it('sums load meters where there is no grid meter', () => {
    expect(
      flowOf([
        ['load', 400],
        ['load', 250],
      ]).load.power_W,
    ).toBe(650);
  });
  it('knows no load while a part is stale, and says since when', () => {
    const flow = flowOf([
      ['grid', 10_000],
      ['generation', 20_000, STALE_MS + 1],
    ]);
    expect(flow.generation).toEqual({ power_W: null, stale_since_ms: NOW - STALE_MS - 1 });
    expect(flow.load).toEqual({ power_W: null, stale_since_ms: NOW - STALE_MS - 1 });
  });
  it('knows nothing of meters that never sent, and has no node for roles that are not there', () => {
    const flow = flowOf([['grid', null]]);
    expect(flow).toEqual({
      grid: { power_W: null, stale_since_ms: null },
      generation: null,
      battery: null,
      load: { power_W: null, stale_since_ms: null },
      soc_percent: null,
    });
  });
  it('is never below zero for meters that disagree by a little', () => {
    const flow = flowOf([
      ['grid', -5_010],
      ['generation', 5_000],
    ]);
    expect(flow.load.power_W).toBe(0);
  });
});
