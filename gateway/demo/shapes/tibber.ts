/** `POST /v1-beta/gql` of api.tibber.com: prices of a contract with tax, per kWh, by local day. */
import { addDays, dayStart, zoneOffset } from '../../../engine/model/time.ts';
import { json, type MarketTruth, type Shape } from './market-truth.ts';

const ZONE = 'Europe/Berlin';
/** What Tibber adds: taxes and fees per kWh, and VAT. */
export const TIBBER = { token: '5K4MVS-OjfWhK_4yrjOlFe1F6kJXPVf7eQYggo8ebAE', fee_per_kWh: 0.16, vat: 1.19 };

export const tibber =
  (now: () => number): Shape =>
  ({ method, path, headers, body }, truth) => {
    if (method !== 'POST' || path !== '/v1-beta/gql') return json({ message: 'not found' }, 404);
    if (headers.authorization !== `Bearer ${TIBBER.token}`)
      return json({ errors: [{ message: 'invalid token', extensions: { code: 'UNAUTHENTICATED' } }], data: null });
    if (!String(JSON.parse(body).query).includes('resolution: QUARTER_HOURLY'))
      return json({ errors: [{ message: 'this stand-in knows quarters only' }] }, 400);
    const today = dayStart(now(), ZONE);
    const tomorrow = addDays(today, 1, ZONE);
    const prices = (from_ms: number, to_ms: number) => slots(truth, from_ms, to_ms);
    const currentSubscription = {
      priceInfo: { today: prices(today, tomorrow), tomorrow: prices(tomorrow, addDays(tomorrow, 1, ZONE)) },
      priceInfoRange: { nodes: prices(addDays(today, -30, ZONE), today) },
    };
    return json({ data: { viewer: { homes: [{ currentSubscription: null }, { currentSubscription }] } } });
  };

function slots(truth: MarketTruth, from_ms: number, to_ms: number) {
  const found = [];
  for (let at_ms = from_ms; at_ms < to_ms; at_ms += 900_000) {
    const price = truth.price('TIBBER', 'day-ahead', at_ms);
    if (price === undefined || price === null) continue;
    const total = (price / 1000 + TIBBER.fee_per_kWh) * TIBBER.vat;
    found.push({ total: Math.round(total * 1e4) / 1e4, startsAt: localIso(at_ms), currency: 'EUR' });
  }
  return found;
}

/** `2026-10-25T02:00:00.000+01:00`. */
function localIso(at_ms: number): string {
  const offset_ms = zoneOffset(at_ms, ZONE);
  const hours = String(offset_ms / 3_600_000).padStart(2, '0');
  return new Date(at_ms + offset_ms).toISOString().replace('Z', `+${hours}:00`);
}
