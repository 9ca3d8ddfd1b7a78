/** What every method behind the port of forecasts promises. */
import { describe, expect, it } from 'vitest';
import type { ForecastMethod } from '../../engine/forecast/port.ts';
import { makeMarket, origin, scramble } from '../engine/forecast/panel-fixture.ts';

const DAY = 90;

export type MethodCase = {
  create: () => ForecastMethod;
  /** Mean absolute error on the made-up market must be below this (the weekly naive has about 8.5). */
  mae: number;
  /** Largest gap between base + contributions and the forecast. */
  explains_within: number;
};

export function describeForecastMethod(name: string, { create, mae, explains_within }: MethodCase): void {
  describe(`${name} as a forecast method`, () => {
    it('does not see what was not known at its origin: forecasts stay bit-identical', () => {
      const untouched = makeMarket(DAY + 5);
      const changed = makeMarket(DAY + 5, 1, (series) => scramble(series, origin(DAY), 7));
      const [a, b] = [untouched, changed].map(({ panel }) => create().train(panel, DAY).forecast(panel, DAY));
      expect([...b!]).toEqual([...a!]);
      expect(a!.every(Number.isFinite)).toBe(true);
    });

    it('does see what was known', () => {
      const untouched = makeMarket(DAY + 1);
      const changed = makeMarket(DAY + 1, 1, ([, load]) => {
        for (let hour = 0; hour < 24; hour++) load!.values[DAY * 24 + hour]! += 6000;
      });
      const [a, b] = [untouched, changed].map(({ panel }) => create().train(panel, DAY).forecast(panel, DAY));
      expect(b!.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(a!.reduce((sum, value) => sum + value, 0) + 24);
    });

    it('forecasts well while it goes on from day to day', () => {
      const { panel, price } = makeMarket(DAY + 7);
      const method = create();
      let trained = method.train(panel, DAY - 3);
      let error = 0;
      for (let day = DAY; day < DAY + 7; day++) {
        trained = method.train(panel, day, trained);
        const forecast = trained.forecast(panel, day);
        for (let hour = 0; hour < 24; hour++) error += Math.abs(forecast[hour]! - price[day * 24 + hour]!) / 168;
      }
      expect(error).toBeLessThan(mae);
    });

    it('is stored and comes back bit-identical', () => {
      const { panel } = makeMarket(DAY + 1);
      const trained = create().train(panel, DAY);
      const state = JSON.parse(JSON.stringify(trained.serialise()));
      const revived = create().revive(state);
      expect([...revived.forecast(panel, DAY)]).toEqual([...trained.forecast(panel, DAY)]);
      expect(revived.serialise()).toEqual(state);
      expect(() => create().revive({ ...state, method: 'other/1' })).toThrow(/other\/1/);
    });

    it('explains: base and contributions sum to the forecast', () => {
      const { panel } = makeMarket(DAY + 1);
      const trained = create().train(panel, DAY);
      const forecast = trained.forecast(panel, DAY);
      for (const hour of [0, 8, 19]) {
        const { base, contributions } = trained.explain(panel, DAY, hour);
        const sum = contributions.reduce((total, { adds }) => total + adds, base);
        expect(Math.abs(sum - forecast[hour]!)).toBeLessThan(explains_within);
        const sizes = contributions.map(({ adds }) => Math.abs(adds));
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      }
    });

    it('says so where too little is known', () => {
      const { panel } = makeMarket(20);
      expect(() => create().train(panel, 20)).toThrow(/days/);
    });
  });
}
