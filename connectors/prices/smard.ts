/**
 * SMARD of the Bundesnetzagentur: day-ahead prices in weekly files, in milliseconds and EUR/MWh.
 * Source of the shape: https://github.com/bundesAPI/smard-api (`chart_data/{filter}/{region}/…`).
 */
import { z } from 'zod';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import type { PriceProvider, PriceRequest } from '../../engine/ports.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { type PriceInterval, slotsOfIntervals } from './intervals.ts';

const NAME = 'smard';
/** SMARD's number of the price series of each market area. */
const FILTERS: Readonly<Record<string, number>> = {
  'DE-LU': 4169,
  AT: 4170,
  BE: 4996,
  NO2: 4997,
  DK1: 252,
  DK2: 253,
  FR: 254,
  'IT-North': 255,
  NL: 256,
  PL: 257,
  CH: 259,
  SI: 260,
  CZ: 261,
  HU: 262,
};
const REGION = 'DE-LU';
const WEEK_MS = 7 * 24 * HOUR_MS;

const Index = z.object({ timestamps: z.array(z.number().int()) });
const Week = z.object({ series: z.array(z.tuple([z.number().int(), z.number().nullable()])) });
type Resolution = 'quarterhour' | 'hour';

/** Weeks are cut from Monday 00:00 local time; what is not published yet is null at a week's end. */
export function createSmard(options: ProviderOptions = {}): PriceProvider {
  const base = options.base_url ?? 'https://www.smard.de/app';
  const get = (path: string, signal: AbortSignal) =>
    ask({ provider: NAME, url: `${base}/chart_data/${path}`, signal, via: options, accept: [404] });

  async function intervals(request: PriceRequest, resolution: Resolution): Promise<PriceInterval[]> {
    const filter = FILTERS[request.area];
    const folder = `${filter}/${REGION}`;
    const index = await get(`${folder}/index_${resolution}.json`, request.signal);
    if (index.status === 404) return [];
    const length_ms = resolution === 'hour' ? HOUR_MS : SLOT_MS;
    const found: PriceInterval[] = [];
    for (const week of decodeJson(NAME, index.text, Index).timestamps) {
      // a week with a clock change is an hour longer or shorter
      if (week >= request.to_ms || week + WEEK_MS + HOUR_MS <= request.from_ms) continue;
      const reply = await get(`${folder}/${filter}_${REGION}_${resolution}_${week}.json`, request.signal);
      if (reply.status === 404) continue;
      const { series } = decodeJson(NAME, reply.text, Week);
      for (const [from_ms, value] of published(series)) found.push({ from_ms, to_ms: from_ms + length_ms, value });
    }
    return found;
  }

  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: (area) => Object.hasOwn(FILTERS, area),
    async fetch(request) {
      const { area, market, from_ms, to_ms } = request;
      const quarters = slotsOfIntervals(NAME, await intervals(request, 'quarterhour'), { from_ms, to_ms });
      const slots =
        quarters.length > 0 ? quarters : slotsOfIntervals(NAME, await intervals(request, 'hour'), { from_ms, to_ms });
      return { area, market, currency: 'EUR', vat_included: false, source: NAME, slots };
    },
  };
}

function published<T extends readonly [number, number | null]>(series: readonly T[]): readonly T[] {
  const last = series.findLastIndex(([, value]) => value !== null);
  return series.slice(0, last + 1);
}
