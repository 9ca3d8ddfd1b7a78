/** What tariffs and devices say of peaks and of § 14a EnWG. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPublicHolidays } from '../../../../connectors/holidays/public.ts';
import { type PlanDevice, PlanDeviceSchema } from '../../../../engine/dispatch/plan-devices.ts';
import { readTariff } from '../../../../engine/tariff/read.ts';
import type { Tariff } from '../../../../engine/tariff/tariff.ts';
import { peakPrice, section14aFacts } from '../../../../gateway/services/advice/grid-facts.ts';
import { proposeActions } from '../../../../recommender/catalogue/catalogue.ts';
import { contextOf } from '../../../recommender/context.ts';

const example = (name: string): Tariff =>
  readTariff(readFileSync(`tariffs/${name}.yaml`, 'utf8'), createPublicHolidays()).tariff!;
const charger = (power_W: number): PlanDevice =>
  PlanDeviceSchema.parse({
    ...{ kind: 'vehicle', id: 'car', name: 'Car', capacity_kWh: 60, charge_W: power_W, arrival_percent: 40 },
    stays: [{ weekdays: [1], arrive: '09:00', depart: '16:00', goal_percent: 90 }],
    section_14a: { kind: 'charger', power_W },
  });
const unknown = { year_kWh: null, devices_kWh: null };

describe('§ 14a EnWG', () => {
  it('is for controllable devices above 4.2 kW, in Germany', () => {
    const flat = example('flat');
    expect(section14aFacts([charger(4200)], flat, unknown)).toBeNull();
    expect(section14aFacts([charger(11_000)], { ...flat, time_zone: 'Europe/Oslo' }, unknown)).toBeNull();
    const facts = section14aFacts([charger(11_000)], flat, unknown)!;
    expect(facts).toMatchObject({ devices_W: 11_000, module: null, modules: [{ module: 1 }] });
    const advised = proposeActions(contextOf(() => 0.2, { section_14a: facts }));
    expect(advised.map(({ id }) => id)).toContain('set_14a_module:1');
  });

  it('knows the module by the charges of the tariff, and advises none that is there', () => {
    for (const [name, module] of [
      ['de-dynamic-14a', 3],
      ['de-14a-module-2', 2],
    ] as const)
      expect(section14aFacts([charger(11_000)], example(name), unknown)?.module).toBe(module);
    const facts = section14aFacts([charger(11_000)], example('de-dynamic-14a'), unknown)!;
    const advised = proposeActions(contextOf(() => 0.2, { section_14a: facts }));
    expect(advised.map(({ kind }) => kind)).not.toContain('set_14a_module');
  });

  it('counts module 2 where the devices are measured and the grid’s price is known, up to 100,000 kWh', () => {
    const tariff = example('de-14a-module-2');
    const grid: Tariff = {
      ...tariff,
      energy: [{ name: 'Netz', vat_percent: 19, price: { kind: 'fixed', value: 0.1 }, meter: null, without: [] }],
    };
    const modules = (year_kWh: number, devices_kWh: number | null) =>
      section14aFacts([charger(11_000)], grid, { year_kWh, devices_kWh })!.modules;
    expect(modules(20_000, 5000).find(({ module }) => module === 2)?.saving_year).toBeCloseTo(0.6 * 0.119 * 5000, 6);
    expect(modules(120_000, 5000).map(({ module }) => module)).toEqual([1]);
    expect(modules(20_000, null).map(({ module }) => module)).toEqual([1]);
  });
});

describe('the price of a peak', () => {
  it('is the tariff’s own, with VAT; none where it has none', () => {
    expect(peakPrice(example('flat'))).toBeNull();
    const commercial = example('de-commercial');
    const charge = commercial.demand[0]!;
    const per_kW = charge.price.kind === 'linear' ? charge.price.per_kW : Number.NaN;
    expect(peakPrice(commercial)).toEqual({
      demand_charge_per_kW: per_kW * (1 + charge.vat_percent / 100),
      period: charge.period,
    });
  });
});
