/** The sample building in other states: nothing yet, before publication, stale, a fixed price, the newest unknown. */
import { UnavailableError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Columns } from '../../engine/ports.ts';
import type { Services } from '../../gateway/services.ts';
import { simpleTariffs } from '../setup/simple-tariffs.ts';
import { createSampleServices } from './sample-services.ts';
import { SAMPLE_NOW_MS, SITE } from './sample-site.ts';

const NOTHING: Columns = { at_ms: new Float64Array(), values: new Float64Array(), quality: new Int32Array() };

/** Without meter points, prices, forecasts and advice: the first minutes of a box. */
export function emptyServices(now = () => SAMPLE_NOW_MS): Services {
  const full = createSampleServices({ now });
  return createSampleServices({
    now,
    replace: {
      meters: { ...full.meters, list: () => [], get: () => null },
      data: {
        ...full.data,
        balance: async () => NOTHING,
        cost: async () => ({ currency: 'EUR', amount: null, import_kWh: null, missing_slots: 0 }),
      },
      prices: {
        ...full.prices,
        market: async (area, market) => ({
          area,
          market,
          currency: 'EUR',
          ...NOTHING,
          sources: [],
          fetched_ms: null,
          stale_since_ms: null,
        }),
        site: async () => ({ currency: 'EUR', columns: NOTHING, sources: [], stale_since_ms: null }),
        sources: async () => [
          {
            name: 'energy-charts',
            area: 'DE-LU',
            last_success_ms: null,
            last_run_ms: null,
            fault: null,
            next_run_ms: now() + 60_000,
          },
        ],
      },
      forecasts: {
        ...full.forecasts,
        latest: async () => null,
        past: async () => NOTHING,
        error: async () => ({ model: '', mae: null, naive_mae: null, unit: 'W', slots: 0 }),
      },
      advice: {
        ...full.advice,
        recommend: async () => ({ decision_id: 'd', made_ms: now(), actions: [], quiet: false }),
      },
    },
  });
}

/** Meters since two days, but no forecast, prices or advice yet. */
export function youngServices(now = () => SAMPLE_NOW_MS): Services {
  const { meters, data } = createSampleServices({ now });
  const young = emptyServices(now);
  return createSampleServices({
    now,
    replace: {
      ...{ prices: young.prices, forecasts: young.forecasts, advice: young.advice },
      meters,
      data: {
        ...data,
        balance: (tenant, kind, from_ms, to_ms) =>
          data.balance(tenant, kind, Math.max(from_ms, now() - 2 * 24 * HOUR_MS), to_ms),
        cost: async () => ({ currency: 'EUR', amount: null, import_kWh: null, missing_slots: 12 }),
      },
    },
  });
}

/** 09:00: tomorrow's prices are not published. */
export function morningServices(): Services {
  return createSampleServices({ now: () => Date.UTC(2026, 5, 17, 7, 0, 5) });
}

/** Prices are stale, and everything that is stored cannot be asked. */
export function troubledServices(): Services {
  const full = createSampleServices();
  const down = async () => {
    throw new UnavailableError('The series store does not answer.', 'It is tried again by itself.');
  };
  return createSampleServices({
    replace: {
      data: { ...full.data, balance: down, cost: down, totals: down, query: down },
      prices: {
        ...full.prices,
        site: async (tenant, from_ms, to_ms) => ({
          ...(await full.prices.site(tenant, from_ms, to_ms)),
          stale_since_ms: SAMPLE_NOW_MS - 30 * HOUR_MS,
        }),
      },
      quality: { report: down, today: down },
    },
  });
}

/** A fixed price. */
export function fixedServices(): Services {
  const full = createSampleServices();
  return createSampleServices({
    replace: {
      site: {
        ...full.site,
        get: () => ({ ...SITE, demo: false }),
      },
      tariffs: simpleTariffs(() => ({ ...SITE, energy_price: { kind: 'fixed', per_kWh: 0.245, vat_percent: 19 } })),
    },
  });
}

export const VARIANTS: Readonly<Record<string, () => Services>> = {
  empty: () => emptyServices(),
  young: () => youngServices(),
  morning: morningServices,
  troubled: troubledServices,
  fixed: fixedServices,
};
