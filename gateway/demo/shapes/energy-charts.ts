/** `GET /price` of api.energy-charts.info. */
import { json, published, type Shape } from './market-truth.ts';

export const energyCharts: Shape = ({ path, query }, truth) => {
  const [area, start, end] = [query.get('bzn'), Number(query.get('start')), Number(query.get('end'))];
  if (path !== '/price' || !area) return json({ detail: 'Not Found' }, 404);
  const intervals = published(truth, area, 'day-ahead', start * 1000, end * 1000 + 1);
  if (intervals.length === 0) return json({ detail: 'no content available' }, 404);
  return json({
    license_info: 'CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de',
    unix_seconds: intervals.map(({ from_ms }) => from_ms / 1000),
    price: intervals.map(({ value }) => value),
    unit: 'EUR / MWh',
    deprecated: false,
  });
};
