import { describe, expect, it } from 'vitest';
import type { AdviceContext } from '../../recommender/action.ts';
import { proposeActions } from '../../recommender/catalogue/catalogue.ts';
import { ACTION_NAMES } from '../../recommender/moment.ts';
import { contextOf, NOW_MS } from './context.ts';

const flat = () => 0.3;
/** Cheap from 12:00 to 14:00 (hour 4–6 from now), dear from 18:00 to 20:00. */
const duck = (hour: number) => (hour >= 4 && hour < 6 ? 0.1 : hour >= 10 && hour < 12 ? 0.5 : 0.3);
const find = (context: AdviceContext, kind: string) => proposeActions(context).find((action) => action.kind === kind);

describe('the catalogue of advice', () => {
  it('has nothing to say on a flat day', () => {
    expect(proposeActions(contextOf(flat))).toEqual([]);
  });

  it('moves load out of the dear window, with the saving its assumptions give', () => {
    const action = find(contextOf(duck), 'shift_load');
    expect(action?.text.en).toBe('Move flexible load from 18:00–20:00 to 12:00–14:00.');
    expect(action?.text.de).toBe('Verschieben Sie flexible Last von 18:00–20:00 auf 12:00–14:00.');
    // 80 kW for two hours are 160 kWh; 10 % of it at 0.40 a kWh.
    expect(action?.saving?.amount).toBeCloseTo(6.4, 6);
    expect(action?.saving?.low).toBeCloseTo(3.2, 6);
    expect(action?.saving?.high).toBeCloseTo(12.8, 6);
    expect(action?.deadline_ms).toBe(NOW_MS + 6 * 3_600_000);
    expect(action?.features).toHaveLength(ACTION_NAMES.length);
  });

  it('does not move load without a forecast, and not on prices with a hole in the window', () => {
    expect(find(contextOf(duck, { load: [] }), 'shift_load')).toBeUndefined();
    const holes = contextOf((hour) => (hour >= 10 && hour < 12 ? null : duck(hour)));
    expect(find(holes, 'shift_load')?.text.en ?? '').not.toContain('18:00–20:00');
  });

  it('runs the battery only where the spread pays for the losses and charging comes first', () => {
    expect(find(contextOf(duck, { battery: { daily_kWh: 50 } }), 'run_battery')?.saving?.amount).toBeCloseTo(
      50 * (0.5 - 0.1 / 0.88),
      6,
    );
    expect(find(contextOf(duck, { battery: { daily_kWh: null } }), 'run_battery')).toBeUndefined();
    const slight = contextOf((hour) => (hour >= 4 && hour < 6 ? 0.29 : 0.3), { battery: { daily_kWh: 50 } });
    expect(find(slight, 'run_battery')).toBeUndefined();
    const dearFirst = contextOf(
      (hour) => (hour < 2 ? 0.9 : hour >= 12 && hour < 14 ? 0.1 : hour >= 20 && hour < 22 ? 0.4 : 0.3),
      {
        battery: { daily_kWh: 50 },
      },
    );
    expect(find(dearFirst, 'run_battery')?.text.en).toBe(
      'Charge the battery 20:00–22:00 and use it tomorrow 04:00–06:00.',
    );
    const falling = contextOf((hour) => 0.5 - hour / 100, { battery: { daily_kWh: 50 } });
    expect(find(falling, 'run_battery')).toBeUndefined();
  });

  it('charges vehicles in a window that costs less than nothing', () => {
    const action = find(
      contextOf((hour) => (hour >= 4 && hour < 7 ? -0.05 : 0.3)),
      'charge_vehicles',
    );
    expect(action?.text.en).toBe('Charge electric vehicles 12:00–15:00.');
    expect(action!.saving!.amount).toBeGreaterThan(30 * 0.3);
  });

  it('asks for a look at a silent meter and says since when', () => {
    const action = find(
      contextOf(flat, {
        meters: [
          { id: 'hall', name: 'Hall 2', role: 'load', silent_since_ms: NOW_MS - 3_600_000, stuck_since_ms: null },
        ],
      }),
      'check_meter',
    );
    expect(action?.text.de).toBe('Prüfen Sie den Zähler Hall 2.');
    expect(action?.why.en).toContain('silent since 07:00');
    expect(action?.saving).toBeNull();
  });

  it('notices a restless night and a weak solar day, and stays quiet below their thresholds', () => {
    const night = find(contextOf(flat, { night: { last_W: 12_000, usual_W: 8_000 } }), 'check_base_load');
    expect(night?.saving?.amount).toBeCloseTo(4 * 730 * 0.3 * 0.5, 6);
    expect(find(contextOf(flat, { night: { last_W: 9_000, usual_W: 8_000 } }), 'check_base_load')).toBeUndefined();
    expect(
      find(contextOf(flat, { yesterday_generation: { measured_kWh: 40, forecast_kWh: 100 } }), 'inspect_generation'),
    ).toBeDefined();
    expect(
      find(contextOf(flat, { yesterday_generation: { measured_kWh: 80, forecast_kWh: 100 } }), 'inspect_generation'),
    ).toBeUndefined();
  });

  it('leaves out what was dismissed', () => {
    const context = contextOf(duck);
    const ids = proposeActions(context).map((action) => action.id);
    expect(proposeActions(context, new Map(ids.map((id) => [id, Infinity])))).toEqual([]);
  });

  it('keeps low ≤ amount ≤ high and every feature in 0 … 1', () => {
    const all = contextOf(duck, {
      battery: { daily_kWh: 80 },
      night: { last_W: 20_000, usual_W: 8_000 },
      yesterday_generation: { measured_kWh: 1, forecast_kWh: 200 },
    });
    for (const { saving, features } of proposeActions(all)) {
      if (saving) expect(saving.low <= saving.amount && saving.amount <= saving.high).toBe(true);
      for (const feature of features) expect(feature >= 0 && feature <= 1).toBe(true);
    }
  });

  it('asks to check ten meters at most, the grid meter first, then the longest silent', () => {
    const meters = Array.from({ length: 600 }, (_, i) => ({
      ...{ id: `m${i}`, name: `M ${i}`, role: i === 599 ? ('grid' as const) : ('load' as const) },
      ...{ silent_since_ms: NOW_MS - i * 1000, stuck_since_ms: null },
    }));
    const found = proposeActions(contextOf(() => 0.3, { meters }));
    const checks = found.filter(({ kind }) => kind === 'check_meter').map(({ id }) => id.split(':')[1]);
    expect(checks).toEqual(['m599', 'm598', 'm597', 'm596', 'm595', 'm594', 'm593', 'm592', 'm591', 'm590']);
  });
});
