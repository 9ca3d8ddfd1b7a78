/** Products and unit rates of api.octopus.energy: half hours, newest first, in pages. */
import { json, type Shape } from './market-truth.ts';

const HALF_MS = 1_800_000;
const VAT = 1.05;
export const OCTOPUS_PRODUCT = 'AGILE-24-10-01';

export const octopus: Shape = ({ path, query }, truth) => {
  if (path === '/v1/products/') return json({ count: 3, next: null, previous: null, results: PRODUCTS });
  const region = new RegExp(
    `^/v1/products/${OCTOPUS_PRODUCT}/electricity-tariffs/E-1R-${OCTOPUS_PRODUCT}-([A-P])/standard-unit-rates/$`,
  ).exec(path)?.[1];
  if (!region) return json({ detail: 'Not found.' }, 404);
  const [from, to] = ['period_from', 'period_to'].map((name) => Date.parse(query.get(name) ?? '')) as [number, number];
  const results = [];
  for (let at_ms = Math.floor(from / HALF_MS) * HALF_MS; at_ms < to; at_ms += HALF_MS) {
    const price = truth.price(region, 'day-ahead', at_ms);
    if (price === undefined) continue;
    const value = price === null ? null : price / 10;
    results.unshift({
      value_exc_vat: value,
      value_inc_vat: value === null ? null : Math.round(value * VAT * 1e4) / 1e4,
      valid_from: new Date(at_ms).toISOString().replace('.000', ''),
      valid_to: new Date(at_ms + HALF_MS).toISOString().replace('.000', ''),
      payment_method: null,
    });
  }
  return json(paged(results, query));
};

const PRODUCTS = [
  {
    code: 'AGILE-23-12-06',
    direction: 'IMPORT',
    display_name: 'Agile Octopus',
    available_from: '2023-12-06T00:00:00Z',
  },
  {
    code: OCTOPUS_PRODUCT,
    direction: 'IMPORT',
    display_name: 'Agile Octopus',
    available_from: '2024-10-01T00:00:00+01:00',
  },
  {
    code: 'AGILE-OUTGOING-19-05-13',
    direction: 'EXPORT',
    display_name: 'Agile Outgoing',
    available_from: '2024-11-01T00:00:00Z',
  },
];

function paged<T>(results: readonly T[], query: URLSearchParams) {
  const [size, page] = [Number(query.get('page_size') ?? 100), Number(query.get('page') ?? 1)];
  const next = page * size < results.length ? `https://api.octopus.energy/?page=${page + 1}` : null;
  return { count: results.length, next, previous: null, results: results.slice((page - 1) * size, page * size) };
}
