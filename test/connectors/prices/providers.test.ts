import { createAwattar } from '../../../connectors/prices/awattar.ts';
import { createEnergyCharts } from '../../../connectors/prices/energy-charts.ts';
import { createEntsoe } from '../../../connectors/prices/entsoe.ts';
import { createErcot } from '../../../connectors/prices/ercot.ts';
import { createOctopus } from '../../../connectors/prices/octopus.ts';
import { createSmard } from '../../../connectors/prices/smard.ts';
import { createTibber } from '../../../connectors/prices/tibber.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { ERCOT_ACCOUNT } from '../../../gateway/demo/shapes/ercot.ts';
import { TIBBER } from '../../../gateway/demo/shapes/tibber.ts';
import { describePriceProvider, EUROPE, type ProviderCase, TEXAS } from '../../contracts/price-provider.ts';

type Value = (slot_ms: number) => number | null;
const slotValue = (value: Value, slot_ms: number) => value(slot_ms);
const firstOf = (length_ms: number) => (value: Value, slot_ms: number) => value(slot_ms - (slot_ms % length_ms));
const hourMean = (value: Value, slot_ms: number) => {
  const hour_ms = slot_ms - (slot_ms % HOUR_MS);
  const sum = [0, 1, 2, 3].reduce((part, i) => part + (value(hour_ms + i * SLOT_MS) ?? 0), 0);
  return Math.round((sum / 4) * 100) / 100;
};
const europe = {
  market: 'day-ahead',
  time_zone: 'Europe/Berlin',
  days: EUROPE,
  currency: 'EUR',
  vat_included: false,
  area: 'DE-LU',
} as const;
const { user, password, key } = ERCOT_ACCOUNT;
const ercot = (urls: Record<string, string>, timeout_ms: number) =>
  createErcot({ base_url: urls.ercot, token_url: urls['ercot-token'], user, password, key, timeout_ms });

const CASES: Record<string, ProviderCase> = {
  'Energy-Charts': {
    ...europe,
    server: 'energy-charts',
    open: (urls, timeout_ms) => createEnergyCharts({ base_url: urls['energy-charts'], timeout_ms }),
    expected: slotValue,
  },
  'aWATTar DE': {
    ...europe,
    server: 'awattar',
    open: (urls, timeout_ms) => createAwattar({ base_url: urls.awattar, timeout_ms }),
    expected: hourMean,
  },
  'aWATTar AT': {
    ...europe,
    area: 'AT',
    server: 'awattar-at',
    open: (urls, timeout_ms) => createAwattar({ base_url_at: urls['awattar-at'], timeout_ms }),
    expected: hourMean,
  },
  SMARD: {
    ...europe,
    server: 'smard',
    open: (urls, timeout_ms) => createSmard({ base_url: urls.smard, timeout_ms }),
    expected: slotValue,
  },
  'ENTSO-E': {
    ...europe,
    server: 'entsoe',
    open: (urls, timeout_ms) => createEntsoe({ base_url: urls.entsoe, token: 'a-token', timeout_ms }),
    expected: slotValue,
  },
  Tibber: {
    ...europe,
    area: 'TIBBER',
    server: 'tibber',
    vat_included: true,
    open: (urls, timeout_ms) => createTibber({ base_url: urls.tibber, token: TIBBER.token, timeout_ms }),
    // four decimals per kWh are one per ten thousandth of a MWh's price
    expected: (value, slot_ms) =>
      Math.round(((value(slot_ms) ?? 0) / 1000 + TIBBER.fee_per_kWh) * TIBBER.vat * 1e4) / 10,
    leaves_out_nulls: true,
  },
  'Octopus Agile': {
    server: 'octopus',
    area: 'C',
    market: 'day-ahead',
    time_zone: 'Europe/London',
    days: EUROPE,
    currency: 'GBP',
    vat_included: false,
    open: (urls, timeout_ms) => createOctopus({ base_url: urls.octopus, timeout_ms }),
    expected: firstOf(2 * SLOT_MS),
  },
  'ERCOT day-ahead': {
    server: 'ercot',
    area: 'HB_HOUSTON',
    market: 'day-ahead',
    time_zone: 'America/Chicago',
    days: TEXAS,
    currency: 'USD',
    vat_included: false,
    open: ercot,
    expected: firstOf(HOUR_MS),
  },
  'ERCOT real-time': {
    server: 'ercot',
    area: 'HB_HOUSTON',
    market: 'real-time',
    time_zone: 'America/Chicago',
    days: TEXAS,
    currency: 'USD',
    vat_included: false,
    open: ercot,
    expected: slotValue,
  },
};

for (const [name, provided] of Object.entries(CASES)) describePriceProvider(name, provided);
