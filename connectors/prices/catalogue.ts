/** Every price source the box knows, by the name it has in the configuration. */
import { join } from 'node:path';
import { ConfigError } from '../../engine/errors.ts';
import type { HttpFetch, PriceProvider } from '../../engine/ports.ts';
import { createAwattar } from './awattar.ts';
import { createCsvPrices } from './csv.ts';
import { createEnergyCharts } from './energy-charts.ts';
import { createEntsoe } from './entsoe.ts';
import { createErcot } from './ercot.ts';
import { createOctopus } from './octopus.ts';
import { createSmard } from './smard.ts';
import { createTibber } from './tibber.ts';

/** What the configuration says about price sources. */
export type PriceSettings = {
  home: string;
  price_sources: readonly string[];
  provider_urls: Readonly<Record<string, string>>;
  entsoe_token: string | null;
  tibber_token: string | null;
  ercot_user: string | null;
  ercot_password: string | null;
  ercot_key: string | null;
  /** The box's way out; the global one where left out. */
  fetch?: HttpFetch;
};

const MAKERS: Readonly<Record<string, (settings: PriceSettings, base_url: string | undefined) => PriceProvider>> = {
  'energy-charts': ({ fetch }, base_url) => createEnergyCharts({ base_url, fetch }),
  awattar: ({ provider_urls, fetch }, base_url) =>
    createAwattar({ base_url, base_url_at: provider_urls['awattar-at'], fetch }),
  smard: ({ fetch }, base_url) => createSmard({ base_url, fetch }),
  entsoe: ({ entsoe_token: token, fetch }, base_url) => createEntsoe({ base_url, token, fetch }),
  tibber: ({ tibber_token: token, fetch }, base_url) => createTibber({ base_url, token, fetch }),
  octopus: ({ fetch }, base_url) => createOctopus({ base_url, fetch }),
  ercot: ({ provider_urls, ercot_user: user, ercot_password: password, ercot_key: key, fetch }, base_url) =>
    createErcot({ base_url, token_url: provider_urls['ercot-token'], user, password, key, fetch }),
  csv: ({ home }) => createCsvPrices(join(home, 'prices')),
};

export const PRICE_SOURCES: readonly string[] = Object.keys(MAKERS);

/** The configured sources in the order they are tried. @throws ConfigError that names a source nobody knows. */
export function createPriceProviders(settings: PriceSettings): PriceProvider[] {
  return settings.price_sources.map((name) => {
    const make = MAKERS[name];
    if (!make)
      throw new ConfigError(
        `price_sources names ${name}, which the box does not know.`,
        `Known are ${PRICE_SOURCES.join(', ')}.`,
      );
    return make(settings, settings.provider_urls[name]);
  });
}
