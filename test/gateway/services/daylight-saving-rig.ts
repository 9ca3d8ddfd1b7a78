/** Sums, prices and costs over a store with 1 kWh in every quarter hour of all the years, so that a sum counts its slots. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { EnergyPrice, MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { createDataService } from '../../../gateway/services/data.ts';
import { createPriceService, type PriceServiceDeps } from '../../../gateway/services/prices.ts';
import {
  changeDays,
  FIRST_YEAR,
  LAST_YEAR,
  type OracleDay,
  YEARS,
  type ZoneOracle,
} from '../../engine/model/clock-changes.ts';
import { simpleTariffs } from '../../setup/simple-tariffs.ts';

const METER: MeterPoint = {
  ...{ tenant: 'a', id: 'grid', site: 's', name: 'Grid', role: 'grid', device: 'd', channel: 'main' },
  ...{ parent: null, virtual: null },
};
export const meters = { list: () => [METER], get: () => METER };

/** The days of all the years on which clocks change; where they never do, as many others. */
export function changingDays(oracle: ZoneOracle): OracleDay[] {
  return YEARS.flatMap((year) =>
    changeDays(oracle, year).filter(({ slots }, k) => (oracle.rule === null ? k % 3 === 1 : slots !== 96)),
  );
}

export async function openDaylightRig() {
  const dir = mkdtempSync(join(tmpdir(), 'luna-dst-'));
  const store = await openDuckDbSeries({ file: join(dir, 's.duckdb'), memory: '256MB' });
  const [from_ms, to_ms] = [Date.UTC(FIRST_YEAR - 1, 11, 30), Date.UTC(LAST_YEAR + 1, 0, 3)];
  const count = (to_ms - from_ms) / SLOT_MS;
  const slots = {
    at_ms: Float64Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS),
    values: new Float64Array(count).fill(1),
    quality: new Int32Array(count),
  };
  await store.slots.replace('a', { meter: 'grid', quantity: 'import_kWh', from_ms, to_ms }, slots, []);
  const rig = { site: {} as { time_zone: string; currency: string; energy_price: EnergyPrice } };
  const { site: sitePrices } = createPriceService({
    ...{ config: { price_sources: [] }, clock: { now: () => Date.UTC(2026, 0, 1) }, series: store, providers: [] },
    ...{ random: () => 0.5, site: { tenants: () => ['a'], get: () => rig.site } },
    tariffs: simpleTariffs(() => rig.site),
  } as unknown as PriceServiceDeps);
  return {
    ...{ store, sitePrices, data: createDataService({ series: store, meters, sitePrices }) },
    setSite(time_zone: string, energy_price: EnergyPrice) {
      rig.site = { time_zone, currency: 'EUR', energy_price };
    },
    async close() {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
