/** Public reports of api.ercot.com (rows as arrays, hours by their end in local time, DST flag) and its sign-in. */
import { addDays, dayStart, HOUR_MS, instantOf, localTime } from '../../../engine/model/time.ts';
import { type Answer, json, type MarketTruth, type Shape } from './market-truth.ts';

const ZONE = 'America/Chicago';
export const ERCOT_ACCOUNT = {
  user: 'someone@example.com',
  password: 'correct horse',
  key: '0123456789abcdef',
  token: 'ercot-id-token',
};

export const ercotToken: Shape = ({ body }) => {
  const form = new URLSearchParams(body);
  if (form.get('username') !== ERCOT_ACCOUNT.user || form.get('password') !== ERCOT_ACCOUNT.password)
    return json(
      { error: 'access_denied', error_description: 'AADB2C90225: The username or password is invalid.' },
      400,
    );
  return json({ access_token: 'unused', token_type: 'Bearer', expires_in: '3600', id_token: ERCOT_ACCOUNT.token });
};

export const ercot: Shape = ({ path, query, headers }, truth) => {
  if (headers['ocp-apim-subscription-key'] !== ERCOT_ACCOUNT.key)
    return json({ statusCode: 401, message: 'Access denied due to missing subscription key.' }, 401);
  if (headers.authorization !== `Bearer ${ERCOT_ACCOUNT.token}`)
    return json({ statusCode: 401, message: 'Unauthorized' }, 401);
  const point = query.get('settlementPoint') ?? '';
  const hours = hoursOf(
    query.get('deliveryDateFrom') ?? query.get('operatingDayFrom'),
    query.get('deliveryDateTo') ?? query.get('operatingDayTo'),
  );
  const report = REPORTS[path];
  return report
    ? rows(
        report.fields,
        hours.flatMap((hour) => report.rows(hour, truth, point)),
        query,
      )
    : json({ message: 'Not Found' }, 404);
};

type Hour = { at_ms: number; date: string; ending: number; is_repeated: boolean };
type Report = { fields: string[]; rows(hour: Hour, truth: MarketTruth, point: string): unknown[][] };

const pad = (n: number) => String(n).padStart(2, '0');
const ending = ({ ending }: Hour) => `${pad(ending)}:00`;

const REPORTS: Readonly<Record<string, Report>> = {
  '/np4-190-cd/dam_stlmnt_pnt_prices': {
    fields: ['deliveryDate', 'hourEnding', 'settlementPoint', 'settlementPointPrice', 'DSTFlag'],
    rows(hour, truth, point) {
      const price = truth.price(point, 'day-ahead', hour.at_ms);
      return price === undefined ? [] : [[hour.date, ending(hour), point, price, hour.is_repeated]];
    },
  },
  '/np6-905-cd/spp_node_zone_hub': {
    fields: [
      'deliveryDate',
      'deliveryHour',
      'deliveryInterval',
      'settlementPoint',
      'settlementPointType',
      'settlementPointPrice',
      'DSTFlag',
    ],
    rows: (hour, truth, point) =>
      [1, 2, 3, 4].flatMap((quarter) => {
        const price = truth.price(point, 'real-time', hour.at_ms + (quarter - 1) * 900_000);
        return price === undefined ? [] : [[hour.date, hour.ending, quarter, point, 'HU', price, hour.is_repeated]];
      }),
  },
  '/np6-345-cd/act_sys_load_by_wzn': {
    fields: ['operatingDay', 'hourEnding', 'coast', 'total', 'DSTFlag'],
    rows: (hour) => [[hour.date, ending(hour), 12_000.5, demand_MW(hour.at_ms), hour.is_repeated]],
  },
  '/np3-565-cd/lf_by_model_weather_zone': {
    fields: ['postedDatetime', 'deliveryDate', 'hourEnding', 'coast', 'systemTotal', 'model', 'inUseFlag', 'DSTFlag'],
    rows: (hour) =>
      ['A3', 'E', 'M'].map((model, i) => [
        '2026-10-30T08:30:00',
        hour.date,
        `${hour.ending}:00`,
        12_000.5,
        demand_MW(hour.at_ms) + 100 * (i - 1),
        model,
        model === 'E',
        hour.is_repeated,
      ]),
  },
};

/** System demand of the stand-in, MW. */
export function demand_MW(at_ms: number): number {
  return 45_000 + 9000 * Math.sin((2 * Math.PI * (at_ms / HOUR_MS - 13)) / 24);
}

/** Every hour of the local days from `first` to `last`, in order: 23, 24 or 25 a day. */
function hoursOf(first: string | null, last: string | null): Hour[] {
  const [from_ms, to_ms] = [midnight(first), midnight(last)];
  const found: Hour[] = [];
  for (let at_ms = from_ms; at_ms < addDays(to_ms, 1, ZONE); at_ms += HOUR_MS) {
    const t = localTime(at_ms, ZONE);
    const is_repeated = localTime(at_ms - HOUR_MS, ZONE).hour === t.hour;
    found.push({ at_ms, date: `${t.year}-${pad(t.month)}-${pad(t.day)}`, ending: t.hour + 1, is_repeated });
  }
  return found;
}

function midnight(date: string | null): number {
  const [year = 1970, month = 1, day = 1] = (date ?? '').split('-').map(Number);
  return dayStart(instantOf(ZONE, year, month, day), ZONE);
}

function rows(fields: readonly string[], data: readonly unknown[][], query: URLSearchParams): Answer {
  // small pages, so that a reader that takes only the first one is found out
  const size = Math.min(Number(query.get('size') ?? 1000), 50);
  const page = Number(query.get('page') ?? 1);
  return json({
    _meta: { totalRecords: data.length, pageSize: size, totalPages: Math.ceil(data.length / size), currentPage: page },
    report: { reportTypeId: 0 },
    fields: fields.map((name) => ({ name, dataType: 'VARCHAR' })),
    data: data.slice((page - 1) * size, page * size),
    _links: {},
  });
}
