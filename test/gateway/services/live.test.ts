import { describe, expect, it } from 'vitest';
import { Quality } from '../../../engine/model/quality.ts';
import { createLiveValues } from '../../../gateway/services/live.ts';

const NOW = 1_780_000_000_000;

describe('live values', () => {
  const record = (
    live: ReturnType<typeof createLiveValues>,
    at_ms: number,
    value: number,
    received_ms = NOW,
    quality = 0,
  ) => live.record({ tenant: 't', received_ms }, [{ meter: 'm', quantity: 'power_W', at_ms, value, quality }]);

  it('keeps the newest, whatever the order of arrival', () => {
    const live = createLiveValues();
    record(live, NOW - 1000, 1);
    record(live, NOW - 5000, 2);
    expect(live.of('t', 'm').get('power_W')).toEqual({ at_ms: NOW - 1000, received_ms: NOW, value: 1, quality: 0 });
    expect(live.last_ms('t', 'm')).toBe(NOW);
  });

  it('is not blinded by one reading from a clock that is ahead', () => {
    const live = createLiveValues();
    record(live, NOW + 86_400_000, 1, NOW, Quality.CLOCK);
    record(live, NOW + 1000, 2, NOW + 1000);
    expect(live.of('t', 'm').get('power_W')?.value).toBe(2);
    expect(live.recent('t', 'm', 'power_W')).toEqual([{ at_ms: NOW + 1000, value: 2 }]);
  });

  it('remembers ten minutes of power, one value per 5 s', () => {
    const live = createLiveValues();
    for (let s = 0; s < 1200; s++) record(live, NOW + s * 1000, s, NOW + s * 1000);
    const recent = live.recent('t', 'm', 'power_W');
    expect(recent).toHaveLength(121);
    expect(recent.at(-1)!.at_ms - recent[0]!.at_ms).toBe(600_000);
  });

  it('separates tenants and forgets what is removed', () => {
    const live = createLiveValues();
    record(live, NOW, 1);
    expect(live.of('other', 'm').size).toBe(0);
    live.forget('t', 'm');
    expect(live.of('t', 'm').size).toBe(0);
    expect(live.last_ms('t', 'm')).toBeNull();
  });
});
