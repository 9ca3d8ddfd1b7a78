/** Contexts as a hostile world would make them: holes, negative prices, broken plans, full batteries, empty lists. */
import { SLOT_MS } from '../../engine/model/time.ts';
import type { Random } from '../../engine/random.ts';
import type { AdviceContext } from '../../recommender/action.ts';

const START_MS = Date.UTC(2026, 0, 1);
const ZONES = ['Europe/Berlin', 'America/Chicago', 'Asia/Kolkata', 'UTC'];
const ROLES = ['grid', 'load', 'generation', 'battery', 'sub-meter'] as const;

export function fuzzContext(random: Random): AdviceContext {
  const maybe = <T>(share: number, make: () => T): T | undefined => (random() < share ? make() : undefined);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const between = (low: number, high: number) => low + (high - low) * random();
  // anywhere in a year, within a slot, clock changes included
  const at_ms = START_MS + Math.floor(random() * 365 * 96) * SLOT_MS + Math.floor(random() * SLOT_MS);
  const first_ms = Math.floor(at_ms / SLOT_MS) * SLOT_MS;
  const slots = pick([0, 3, 40, 96, 144]);
  const level = between(-0.1, 0.5);
  const wave = between(0, 0.6);
  const hole = random();
  const series = (share: number, top_W: number) =>
    random() < share
      ? Array.from({ length: slots }, (_, i) => ({
          at_ms: first_ms + i * SLOT_MS,
          power_W: between(-0.1, 1) * top_W,
        })).filter(() => random() < 0.999)
      : [];
  const meters = Array.from({ length: Math.floor(random() * 4) }, (_, i) => ({
    ...{ id: `m${i}`, name: `Meter ${i}`, role: pick(ROLES) },
    silent_since_ms: maybe(0.2, () => at_ms - between(0, 9e8)) ?? null,
    stuck_since_ms: maybe(0.2, () => at_ms - between(0, 9e8)) ?? null,
  }));
  const span = () => {
    const from_ms = first_ms + Math.floor(between(-8, 100)) * SLOT_MS;
    return { from_ms, to_ms: from_ms + Math.floor(between(-2, 12)) * SLOT_MS };
  };
  return {
    ...{ at_ms, time_zone: pick(ZONES), currency: pick(['EUR', 'USD']) },
    prices: Array.from({ length: slots }, (_, i) => ({
      at_ms: first_ms + i * SLOT_MS,
      per_kWh: random() < hole * 0.02 ? null : level + wave * Math.sin(i / 9) + between(-0.02, 0.02),
    })),
    load: series(0.8, 90_000),
    generation: series(0.6, 80_000),
    battery:
      maybe(0.6, () => ({
        daily_kWh: maybe(0.9, () => between(-5, 120)) ?? null,
        capacity_kWh: maybe(0.5, () => between(0, 120)),
        power_W: maybe(0.5, () => between(0, 60_000)),
        soc_percent: maybe(0.5, () => between(0, 100)),
        reserve_percent: maybe(0.5, () => between(0, 100)),
        by_box: maybe(0.2, () => true),
      })) ?? null,
    meters,
    night: maybe(0.4, () => ({ last_W: between(0, 30_000), usual_W: between(0, 20_000) })) ?? null,
    yesterday_generation: maybe(0.4, () => ({ measured_kWh: between(0, 300), forecast_kWh: between(0, 400) })) ?? null,
    plan: maybe(0.2, () => ({
      ...{ id: 'p', charge: span(), discharge: span(), energy_kWh: between(-5, 150) },
      saving: { amount: between(-5, 20), low: between(-5, 10), high: between(-5, 30) },
    })),
    planned: maybe(0.4, () =>
      Array.from({ length: Math.floor(random() * 4) }, (_, i) => ({
        ...{ device: `d${i}`, name: `Device ${i}`, kind: pick(['vehicle', 'load'] as const), plan: 'p' },
        run: Array.from({ length: Math.floor(random() * 3) }, span),
        ...{ instead: span(), energy_kWh: between(-5, 60), until_ms: first_ms + between(-8, 100) * SLOT_MS },
        saving: { amount: between(-2, 10), low: between(-5, 8), high: between(-2, 20) },
      })),
    ),
    climate: maybe(0.4, () => ({
      mode: pick(['heat', 'cool'] as const),
      electric_W: between(-100, 30_000),
      room_C: between(15, 30),
      comfort_C: [between(18, 22), between(20, 27)] as const,
    })),
    peak: maybe(0.5, () => ({ month_peak_W: between(0, 90_000), demand_charge_per_kW: between(-5, 150) })),
    chargers: maybe(0.6, () => (random() < 0.5 ? [] : [{ id: 'ev', name: 'EV' }])),
    tariffs: maybe(0.3, () => ({
      current: { id: 'now', name: 'Now', cost_year: between(-1000, 50_000) },
      offers: Array.from({ length: Math.floor(random() * 3) }, (_, i) => ({
        ...{ id: pick(['now', `o${i}`]), name: `Offer ${i}`, cost_year: between(0, 50_000) },
        ...{ low_year: between(0, 50_000), high_year: between(0, 60_000) },
        until_ms: maybe(0.5, () => at_ms + between(-1e9, 1e9)) ?? null,
      })),
    })),
    section_14a: maybe(0.3, () => ({
      ...{ devices_W: between(0, 20_000), module: pick([1, 2, 3, null] as const) },
      modules: ([1, 2, 3] as const).slice(Math.floor(random() * 4)).map((module) => ({
        ...{ module, saving_year: between(-50, 400), low_year: between(-100, 300), high_year: between(0, 500) },
      })),
    })),
    passages: maybe(0.3, () =>
      Array.from({ length: Math.floor(random() * 5) }, (_, i) => ({
        ...{ id: `p${i}`, document: 'd', document_title: 'D', version: '1', page: pick([1, null]) },
        ...{ section: `§ ${i % 2}`, quote: 'Words of a law. '.repeat(30), relevance: random() },
      })),
    ),
    repairs: maybe(0.3, () =>
      Array.from({ length: Math.floor(random() * 5) }, (_, i) => ({
        ...{ id: `r${i}`, meter: `m${i}`, meter_name: `Meter ${i}`, quantity: 'import_kWh' },
        ...{
          from_ms: at_ms - 9e7,
          to_ms: at_ms - 8e7,
          count: Math.floor(between(-1, 50)),
          at_ms: at_ms - between(-1e8, 1e9),
        },
      })),
    ),
    feed_in_per_kWh: maybe(0.5, () => between(0, 0.4)) ?? null,
  };
}
