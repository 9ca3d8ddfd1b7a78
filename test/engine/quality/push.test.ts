import { describe, expect, it } from 'vitest';
import { decodeInstant, decodePush } from '../../../engine/quality/push.ts';

const ARRIVAL = 1_780_000_000_000;
const T0 = Date.parse('2026-03-29T00:30:00Z');
const decode = (body: unknown, meter: string | null = 'm') => decodePush(body, { meter, arrival_ms: ARRIVAL });

describe('the format of pushed readings', () => {
  it.each([
    [{ at: T0, power_W: 1 }],
    [[{ at: '2026-03-29T01:30:00+01:00', power_W: 1 }]],
    [{ readings: [{ at: '2026-03-29T00:30Z', power_W: 1 }] }],
    [{ at: String(T0), meter: 'm', power_W: 1, voltage_V: null }],
  ])('takes %j', (body) => {
    expect(decode(body).readings).toEqual([{ meter: 'm', quantity: 'power_W', at_ms: T0, value: 1, quality: 0 }]);
  });

  it('takes the time of arrival where there is none, and says so', () => {
    expect(decode({ power_W: 1 })).toMatchObject({ readings: [{ at_ms: ARRIVAL }], timeless: true });
    expect(decode({ at: T0, power_W: 1 }).timeless).toBe(false);
  });

  it('gives from and to only to interval quantities', () => {
    const body = { at: T0, from: T0 - 60_000, to: T0 - 1, import_interval_kWh: 2, power_W: 1 };
    expect(decode(body).readings).toEqual([
      { meter: 'm', quantity: 'import_interval_kWh', at_ms: T0 - 1, from_ms: T0 - 60_000, value: 2, quality: 0 },
      { meter: 'm', quantity: 'power_W', at_ms: T0, value: 1, quality: 0 },
    ]);
  });

  it('tells the object each reading came from, and what is wrong with others', () => {
    const pushed = decode([{ power_W: 1, import_kWh: 2 }, 7, { at: 'soon', power_W: 1 }, {}, { power_W: 3 }]);
    expect(pushed.places).toEqual([0, 0, 4]);
    expect(pushed.rejected.map(({ index, problem }) => `${index}: ${problem}`)).toEqual([
      expect.stringMatching(/^1: .*no object/),
      expect.stringMatching(/^2: "at" is "soon", which is no time/),
      expect.stringMatching(/^3: .*no quantity/),
    ]);
  });

  it.each([[null], ['x'], [5], [[]], [Array.from({ length: 10_001 }, () => ({ power_W: 1 }))]])(
    'refuses what is no message: %#',
    (body) => {
      expect(decode(body)).toMatchObject({ readings: [], rejected: [{ index: 0 }] });
    },
  );

  it('needs a meter point where there is no default', () => {
    expect(decode({ power_W: 1 }, null).rejected[0]!.problem).toMatch(/"meter" is missing/);
  });

  it.each(['2026-03-29', '2026-03-29T00:30:00', '2026-03-29 00:30', '29.03.2026 00:30', '', {}, true])(
    'does not guess the zone of %j',
    (at) => {
      expect(decodeInstant(at)).toEqual(expect.any(String));
    },
  );
});
