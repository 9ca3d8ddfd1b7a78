/** `GET /v1/marketdata` of api.awattar.de and .at: hours, also where the market trades quarters. */
import { json, type MarketTruth, type Shape } from './market-truth.ts';

const HOUR_MS = 3_600_000;

export const awattar =
  (area: string): Shape =>
  ({ path, query }, truth) => {
    if (path !== '/v1/marketdata') return json({ message: 'not found' }, 404);
    const [start, end] = [Number(query.get('start')), Number(query.get('end'))];
    const data = [];
    for (let at_ms = Math.ceil(start / HOUR_MS) * HOUR_MS; at_ms < end; at_ms += HOUR_MS) {
      const marketprice = hourly(truth, area, at_ms);
      if (marketprice === undefined) continue;
      data.push({ start_timestamp: at_ms, end_timestamp: at_ms + HOUR_MS, marketprice, unit: 'Eur/MWh' });
    }
    return json({ object: 'list', data, url: '/de/v1/marketdata' });
  };

/** Mean of the hour's quarters; null or not published where one is. */
export function hourly(truth: MarketTruth, area: string, hour_ms: number): number | null | undefined {
  const values = [0, 1, 2, 3].map((i) => truth.price(area, 'day-ahead', hour_ms + i * 900_000));
  if (values.includes(undefined)) return undefined;
  if (values.includes(null)) return null;
  return Math.round(((values as number[]).reduce((a, b) => a + b, 0) / 4) * 100) / 100;
}
