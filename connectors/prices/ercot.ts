/**
 * ERCOT public API with account and key: day-ahead and real-time settlement point prices, and system demand.
 * Source of the shapes: https://developer.ercot.com (public-reports NP4-190-CD, NP6-905-CD, NP6-345-CD, NP3-565-CD;
 * sign-in by resource owner password, tokens live an hour).
 */
import { z } from 'zod';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { HOUR_MS, localDate, SLOT_MS } from '../../engine/model/time.ts';
import type { DemandHour, DemandRequest, PriceProvider } from '../../engine/ports.ts';
import { isSettlementPoint } from './areas.ts';
import { ERCOT_ZONE, hourStart } from './ercot-time.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { type PriceInterval, slotsOfIntervals } from './intervals.ts';

const NAME = 'ercot';
const TOKEN_URL = 'https://ercotb2c.b2clogin.com/ercotb2c.onmicrosoft.com/B2C_1_PUBAPI-ROPC-FLOW/oauth2/v2.0/token';
/** ERCOT's own public client for programs. */
const CLIENT_ID = 'fec253ea-0d06-4272-a5e6-b478baeecd70';
const PAGE_SIZE = 10_000;
const MAX_PAGES = 100;

const Token = z.object({ id_token: z.string(), expires_in: z.coerce.number() });
const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Page = z.object({
  _meta: z.object({ totalPages: z.number().int() }),
  fields: z.array(z.object({ name: z.string() })),
  data: z.array(z.array(Cell)),
});
type Row = Record<string, z.infer<typeof Cell>>;

export type ErcotOptions = ProviderOptions & {
  token_url?: string;
  user: string | null;
  password: string | null;
  key: string | null;
};
export type Ercot = PriceProvider & { fetchDemand(request: DemandRequest): Promise<DemandHour[]> };

/** Day-ahead prices are hourly, real-time ones of 15 minutes; both in USD/MWh without tax. */
export function createErcot(options: ErcotOptions): Ercot {
  const report = createReports(options);
  return {
    name: NAME,
    markets: ['day-ahead', 'real-time'],
    serves: (area) =>
      options.user !== null && options.password !== null && options.key !== null && isSettlementPoint(area),
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const query = { ...deliveryDays(from_ms, to_ms), settlementPoint: area };
      const rows =
        market === 'day-ahead'
          ? await report('np4-190-cd/dam_stlmnt_pnt_prices', query, signal)
          : await report('np6-905-cd/spp_node_zone_hub', query, signal);
      const intervals = rows.flatMap(market === 'day-ahead' ? dayAheadInterval : realTimeInterval);
      const slots = slotsOfIntervals(NAME, intervals, { from_ms, to_ms });
      return { area, market, currency: 'USD', vat_included: false, source: NAME, slots };
    },
    async fetchDemand({ kind, from_ms, to_ms, signal }) {
      const { deliveryDateFrom: first, deliveryDateTo: last } = deliveryDays(from_ms, to_ms);
      const rows =
        kind === 'actual'
          ? await report('np6-345-cd/act_sys_load_by_wzn', { operatingDayFrom: first, operatingDayTo: last }, signal)
          : await report('np3-565-cd/lf_by_model_weather_zone', deliveryDays(from_ms, to_ms), signal);
      return demandHours(rows, kind).filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms);
    },
  };
}

type Report = (path: string, query: Record<string, string>, signal: AbortSignal) => Promise<Row[]>;

function createReports(options: ErcotOptions): Report {
  const base = options.base_url ?? 'https://api.ercot.com/api/public-reports';
  let token: { value: string; until_ms: number } | undefined;

  async function signIn(signal: AbortSignal): Promise<string> {
    if (token && token.until_ms > performance.now()) return token.value;
    const body = new URLSearchParams({
      grant_type: 'password',
      username: options.user ?? '',
      password: options.password ?? '',
      response_type: 'id_token',
      scope: `openid ${CLIENT_ID} offline_access`,
      client_id: CLIENT_ID,
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const url = options.token_url ?? TOKEN_URL;
    const reply = await ask({
      provider: NAME,
      url,
      method: 'POST',
      headers,
      body,
      signal,
      via: options,
      accept: [400],
    });
    if (reply.status === 400)
      throw new UnavailableError(`${NAME} refuses our account.`, 'Check ercot_user and ercot_password.');
    const { id_token, expires_in } = decodeJson(NAME, reply.text, Token);
    token = { value: id_token, until_ms: performance.now() + (expires_in - 60) * 1000 };
    return id_token;
  }

  async function page(url: string, signal: AbortSignal, may_repeat: boolean): Promise<z.infer<typeof Page>> {
    const headers = {
      authorization: `Bearer ${await signIn(signal)}`,
      'ocp-apim-subscription-key': options.key ?? '',
    };
    const reply = await ask({ provider: NAME, url, headers, signal, via: options, accept: may_repeat ? [401] : [] });
    if (reply.status !== 401) return decodeJson(NAME, reply.text, Page);
    token = undefined;
    return page(url, signal, false);
  }

  return async (path, query, signal) => {
    const rows: Row[] = [];
    for (let number = 1; number <= MAX_PAGES; number++) {
      const parameters = new URLSearchParams({ ...query, size: String(PAGE_SIZE), page: String(number) });
      const { fields, data, _meta } = await page(`${base}/${path}?${parameters}`, signal, true);
      for (const cells of data) rows.push(Object.fromEntries(fields.map(({ name }, i) => [name, cells[i] ?? null])));
      if (number >= _meta.totalPages) return rows;
    }
    throw new InvalidDataError(`${NAME} has more than ${MAX_PAGES} pages.`);
  };
}

/** Local days that cover the range; both ends are included. */
function deliveryDays(from_ms: number, to_ms: number): { deliveryDateFrom: string; deliveryDateTo: string } {
  return { deliveryDateFrom: localDate(from_ms, ERCOT_ZONE), deliveryDateTo: localDate(to_ms - 1, ERCOT_ZONE) };
}

function dayAheadInterval(row: Row): PriceInterval[] {
  const from_ms = hourStart(text(row, 'deliveryDate'), hourEnding(row), isRepeated(row));
  return from_ms === null ? [] : [{ from_ms, to_ms: from_ms + HOUR_MS, value: amount(row, 'settlementPointPrice') }];
}

/** `deliveryHour` 1–24 counts by the end, `deliveryInterval` 1–4 is the quarter. */
function realTimeInterval(row: Row): PriceInterval[] {
  const hour_ms = hourStart(text(row, 'deliveryDate'), Number(row.deliveryHour), isRepeated(row));
  const quarter = Number(row.deliveryInterval);
  if (!(quarter >= 1 && quarter <= 4)) throw new InvalidDataError(`${NAME} names interval ${row.deliveryInterval}.`);
  if (hour_ms === null) return [];
  const from_ms = hour_ms + (quarter - 1) * SLOT_MS;
  return [{ from_ms, to_ms: from_ms + SLOT_MS, value: amount(row, 'settlementPointPrice') }];
}

/** Of several forecasts for an hour the one that ERCOT used, the newest last. */
function demandHours(rows: readonly Row[], kind: 'actual' | 'forecast'): DemandHour[] {
  const [day, total] = kind === 'actual' ? ['operatingDay', 'total'] : ['deliveryDate', 'systemTotal'];
  const used = kind === 'actual' ? rows : rows.filter(({ inUseFlag }) => inUseFlag === true || inUseFlag === 'Y');
  const posted = used.toSorted((a, b) => String(a.postedDatetime ?? '').localeCompare(String(b.postedDatetime ?? '')));
  const hours = new Map<number, number>();
  for (const row of posted) {
    const at_ms = hourStart(text(row, day), hourEnding(row), isRepeated(row));
    const power_MW = amount(row, total);
    if (at_ms !== null && power_MW !== null) hours.set(at_ms, power_MW);
  }
  return [...hours].map(([at_ms, power_MW]) => ({ at_ms, power_MW })).sort((a, b) => a.at_ms - b.at_ms);
}

/** `01:00` … `24:00`. */
function hourEnding(row: Row): number {
  return Number.parseInt(text(row, 'hourEnding'), 10);
}

/** Reports write the flag as a boolean or as Y and N. */
function isRepeated({ DSTFlag }: Row): boolean {
  return DSTFlag === true || DSTFlag === 'Y';
}

function text(row: Row, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw new InvalidDataError(`${NAME} leaves out the field ${name}.`);
  return String(value);
}

function amount(row: Row, name: string): number | null {
  const value = row[name];
  if (value === undefined) throw new InvalidDataError(`${NAME} leaves out the field ${name}.`);
  if (value === null || value === '') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new InvalidDataError(`${NAME} gives \`${value}\` as ${name}.`);
  return number;
}
