/** The tariffs of sites with one price each, as the service tells them, without a database. */
import type { EnergyPrice } from '../../engine/model/site.ts';
import { parseTariff, readTariff } from '../../engine/tariff/read.ts';
import { asSimplePrice, FOR_EVER, simpleTariffText } from '../../engine/tariff/simple.ts';
import { marketsOf } from '../../engine/tariff/tariff.ts';
import type { StoredVersion, TariffService } from '../../gateway/services.ts';

type Priced = { energy_price: EnergyPrice; currency: string; time_zone: string };

/** @param site asked anew each time; null has no tariff. */
export function simpleTariffs(site: (tenant: string) => Priced | null): TariffService {
  return tariffsOf((tenant) => {
    const found = site(tenant);
    if (!found) return [];
    const yaml = simpleTariffText(found.energy_price, found);
    return [{ valid_from: FOR_EVER, yaml, tariff: parseTariff(yaml), by: 'system', at_ms: 0 }];
  });
}

/** @param versions ascending; the last one holds now */
export function tariffsOf(versions: (tenant: string) => readonly StoredVersion[]): TariffService {
  const current = (tenant: string) => versions(tenant).at(-1) ?? null;
  const areas = (all: readonly StoredVersion[]) =>
    all.flatMap(({ tariff }) => marketsOf(tariff).map(({ area }) => area));
  return {
    versions,
    current,
    area: (tenant) => areas(versions(tenant).slice(-1))[0] ?? null,
    areas: (tenant) => [...new Set(areas(versions(tenant)))],
    simple: (tenant) => asSimplePrice(versions(tenant)),
    read: (yaml) => readTariff(yaml),
    isHoliday: () => false,
    save: async () => {},
    remove: async () => {},
  };
}
