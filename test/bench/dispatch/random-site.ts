/** Sites at random, possible and impossible ones: negative prices, full and empty stores, goals that cannot be met. */
import type { PlanInput } from '../../../engine/dispatch/site.ts';

/** Park and Miller's generator: the same seed gives the same sites. */
export function seeded(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

export function randomSite(random: () => number): PlanInput {
  const slots = 4 + Math.floor(random() * 45);
  const slot_min = ([15, 30, 60] as const)[Math.floor(random() * 3)]!;
  const between = (low: number, high: number) => low + (high - low) * random();
  const some = (count: number) => Math.floor(random() * (count + 1));
  const series = (value: (t: number) => number) => Array.from({ length: slots }, (_, t) => value(t));
  const from_ms = Date.UTC(2026, 0, 1);
  const at = (slot: number) => from_ms + slot * slot_min * 60_000;
  const window = () => {
    const from = Math.floor(random() * slots);
    return { from_ms: at(from), to_ms: at(from + 1 + Math.floor(random() * slots)) };
  };
  const negative = random() < 0.3 ? 0.3 : 0;
  const import_price = series(() => between(-negative, 0.5));
  const batteries = Array.from({ length: some(3) }, (_, i) => {
    const capacity_kWh = between(1, 40);
    return {
      id: `battery ${i}`,
      capacity_kWh,
      min_kWh: random() < 0.3 ? 0.1 * capacity_kWh : 0,
      max_kWh: random() < 0.3 ? 0.9 * capacity_kWh : capacity_kWh,
      charge_W: between(0, 10_000),
      discharge_W: between(0, 10_000),
      charge_efficiency: between(0.8, 1),
      discharge_efficiency: between(0.8, 1),
      keep_per_hour: random() < 0.5 ? 1 : between(0.99, 1),
      energy_kWh: random() * capacity_kWh,
      degradation_per_kWh: between(0, 0.05),
      end_value_per_kWh: between(0, 0.2),
      end_kWh: random() < 0.3 ? 0.5 * capacity_kWh : null,
      charge_from_grid: random() < 0.8,
      discharge_to_grid: random() < 0.5,
    };
  });
  const vehicles = Array.from({ length: some(2) }, (_, i) => ({
    id: `car ${i}`,
    capacity_kWh: 60,
    energy_kWh: between(0, 60),
    charge_W: 11_000,
    min_charge_W: 0,
    discharge_W: random() < 0.2 ? 5000 : 0,
    charge_efficiency: 0.92,
    discharge_efficiency: 0.92,
    degradation_per_kWh: 0.01,
    end_value_per_kWh: 0.1,
    stays: [{ ...window(), goal_kWh: between(0, 60), used_kWh: between(0, 20) }],
  }));
  const loads = Array.from({ length: some(2) }, (_, i) => ({
    id: `load ${i}`,
    power_W: between(500, 3000),
    min_W: 0,
    windows: [{ ...window(), energy_kWh: between(0, 8) }],
    running: null,
  }));
  return {
    from_ms,
    slot_min,
    import_price,
    export_price: import_price.map((price) => price * between(0, 1) - (random() < 0.1 ? 0.1 : 0)),
    load_W: series(() => between(0, 8000)),
    generation_W: random() < 0.5 ? series(() => between(0, 10_000)) : series(() => 0),
    curtailable: random() < 0.5,
    grid: {
      import_limit_W: random() < 0.5 ? between(1000, 12_000) : null,
      export_limit_W: random() < 0.3 ? 0 : random() < 0.5 ? between(0, 8000) : null,
    },
    demand:
      random() < 0.5
        ? [{ id: 'peak', from_slot: 0, to_slot: slots, per_kW: between(0, 5), realised_kW: between(0, 8) }]
        : [],
    batteries,
    vehicles,
    heat_pumps: Array.from({ length: some(1) }, (_, i) => ({
      id: `heat pump ${i}`,
      electric_W: between(1000, 4000),
      min_W: 0,
      cop: series(() => between(2, 4)),
      heat_demand_W: series(() => between(0, 10_000)),
      store_kWh: 10,
      store_min_kWh: 1,
      energy_kWh: between(0, 10),
      keep_per_hour: 0.99,
      end_value_per_kWh: 0.05,
      running: null,
    })),
    loads,
    reductions:
      random() < 0.3
        ? [
            {
              id: 'signal',
              ...window(),
              limit_W: between(0, 8000),
              devices: [...vehicles, ...loads].map(({ id }) => id),
            },
          ]
        : [],
    soft: {
      import_per_kWh: 100,
      export_per_kWh: 100,
      goal_per_kWh: 50,
      reserve_per_kWh: 60,
      heat_per_kWh: 40,
      load_per_kWh: 30,
    },
  };
}
