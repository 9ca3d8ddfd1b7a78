/** The site of the scale bench: battery, two cars, heat pump, month's peak and a §14a limit, from the Trondheim home. */
import type { Plan, PlanInput, Stay } from '../../../engine/dispatch/site.ts';
import type { Home } from './home-data.ts';

const SLOT_MS = 900_000;
const DAY_MS = 86_400_000;

export type Levels = { battery: number; heat: number; cars: [number, number]; peak_kW: number };
export const FIRST_LEVELS: Levels = { battery: 20, heat: 6, cars: [30, 20], peak_kW: 4 };

/** Departures at 07:00 and 08:00, back at 18:00 and 19:00. */
const CARS = [
  { capacity_kWh: 60, charge_W: 11_000, back_h: 18, gone_h: 7, goal_kWh: 45, used_kWh: 9 },
  { capacity_kWh: 40, charge_W: 7400, back_h: 19, gone_h: 8, goal_kWh: 30, used_kWh: 6 },
];

/**
 * @param start quarter hours since the home's year begins
 * @param wrong by how much the forecast of load is wrong a day ahead; the running slot is known
 */
export function scaleInput(
  home: Home,
  first: number,
  start: number,
  slots: number,
  wrong: number,
  levels: Levels,
): PlanInput {
  const year_ms = home.day[first]! * DAY_MS;
  const from_ms = year_ms + start * SLOT_MS;
  const hourOf = (t: number) => first + Math.floor((start + t) / 4);
  const series = (value: (t: number) => number) => Array.from({ length: slots }, (_, t) => value(t));
  const price = series((t) => home.day_ahead[hourOf(t)]! + home.time_of_use[hourOf(t)]!);
  const month_end = series((t) => home.month[hourOf(t)]!).findIndex(
    (month, t, all) => month !== all[Math.max(0, t - 1)],
  );
  const end = month_end < 0 ? slots : month_end;
  const day = Math.floor(start / 96);
  const limit_ms = year_ms + (day + ((start % 96) / 4 >= 20 ? 1 : 0)) * DAY_MS + 18 * 3_600_000;
  return {
    from_ms,
    slot_min: 15,
    import_price: price,
    export_price: price.map((value) => 0.5 * value),
    load_W: series((t) => 1000 * home.load_kWh[hourOf(t)]! * (1 + wrong * Math.min(1, t / 96))),
    generation_W: series(() => 0),
    curtailable: false,
    grid: { import_limit_W: 25_000, export_limit_W: 0 },
    demand: [
      { id: 'this month', from_slot: 0, to_slot: end, per_kW: 40, realised_kW: levels.peak_kW },
      ...(end < slots ? [{ id: 'next month', from_slot: end, to_slot: slots, per_kW: 40, realised_kW: 0 }] : []),
    ],
    batteries: [
      {
        id: 'battery',
        capacity_kWh: 40,
        min_kWh: 0,
        max_kWh: 40,
        charge_W: 20_000,
        discharge_W: 20_000,
        charge_efficiency: 0.95,
        discharge_efficiency: 0.95,
        keep_per_hour: 0.99998,
        energy_kWh: levels.battery,
        degradation_per_kWh: 0.02,
        end_value_per_kWh: 0,
        end_kWh: 20,
        charge_from_grid: true,
        discharge_to_grid: false,
      },
    ],
    vehicles: CARS.map((car, i) => ({
      id: `car ${i + 1}`,
      capacity_kWh: car.capacity_kWh,
      energy_kWh: levels.cars[i]!,
      charge_W: car.charge_W,
      min_charge_W: 0,
      discharge_W: 0,
      charge_efficiency: 0.92,
      discharge_efficiency: 0.92,
      degradation_per_kWh: 0,
      end_value_per_kWh: 0.1,
      stays: staysOf(year_ms, day, Math.ceil(slots / 96) + 2, from_ms, car),
    })),
    heat_pumps: [
      {
        id: 'heat pump',
        electric_W: 3000,
        min_W: 0,
        cop: series((t) => 3 + 0.5 * Math.sin(((start + t) / 96) * 2 * Math.PI)),
        heat_demand_W: series((t) => 3500 + 1000 * Math.cos(((start + t) / 96) * 2 * Math.PI)),
        store_kWh: 12,
        store_min_kWh: 0,
        energy_kWh: levels.heat,
        keep_per_hour: 0.995,
        end_value_per_kWh: 0.05,
        running: null,
      },
    ],
    loads: [],
    reductions: [
      {
        id: '§14a',
        from_ms: limit_ms,
        to_ms: limit_ms + 2 * 3_600_000,
        limit_W: 8_000,
        devices: ['car 1', 'car 2', 'heat pump'],
      },
    ],
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

function staysOf(year_ms: number, day: number, days: number, from_ms: number, car: (typeof CARS)[number]): Stay[] {
  return Array.from({ length: days + 1 }, (_, k) => ({
    from_ms: year_ms + (day + k - 1) * DAY_MS + car.back_h * 3_600_000,
    to_ms: year_ms + (day + k) * DAY_MS + car.gone_h * 3_600_000,
    goal_kWh: car.goal_kWh,
    used_kWh: car.used_kWh,
  })).filter(({ to_ms }) => to_ms > from_ms);
}

/** Levels after the first slot was carried out. */
export function levelsAfter(plan: Plan, levels: Levels): Levels {
  const energy = (id: string) => plan.devices.find((device) => device.id === id)!.energy_kWh[0]!;
  return {
    battery: energy('battery'),
    heat: Math.max(0, energy('heat pump')),
    cars: [energy('car 1'), energy('car 2')],
    peak_kW: Math.max(levels.peak_kW, plan.grid_W[0]! / 1000),
  };
}
