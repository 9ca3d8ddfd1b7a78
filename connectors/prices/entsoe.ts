/**
 * ENTSO-E transparency platform: day-ahead prices (document A44) of every European bidding zone, with a token.
 * Source of the shape: ENTSO-E RESTful API guide, Energy Prices [12.1.D], Publication_MarketDocument 7:3.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { priceArea } from './areas.ts';
import { ask, beginning, type ProviderOptions } from './http.ts';
import { type PriceInterval, slotsOfIntervals } from './intervals.ts';

const NAME = 'entsoe';
const SEQUENCE = 'classificationSequence_AttributeInstanceComponent.position';
const LISTS = new Set(['TimeSeries', 'Period', 'Point', 'Reason']);
const STEPS_MS: Readonly<Record<string, number>> = { PT15M: HOUR_MS / 4, PT30M: HOUR_MS / 2, PT60M: HOUR_MS };

type Point = { position: string; 'price.amount'?: string };
type Period = { timeInterval: { start: string; end: string }; resolution: string; Point?: Point[] };
type TimeSeries = {
  'currency_Unit.name'?: string;
  'price_Measure_Unit.name'?: string;
  'contract_MarketAgreement.type'?: string;
  curveType?: string;
  [SEQUENCE]?: string;
  Period?: Period[];
};
type Documents = {
  Publication_MarketDocument?: { TimeSeries?: TimeSeries[] };
  Acknowledgement_MarketDocument?: { Reason?: { code?: string; text?: string }[] };
};

export function createEntsoe(options: ProviderOptions & { token: string | null }): PriceProvider {
  const base = options.base_url ?? 'https://web-api.tp.entsoe.eu';
  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: (area) => options.token !== null && priceArea(area)?.eic !== undefined,
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const eic = priceArea(area)?.eic ?? area;
      const query = new URLSearchParams({
        securityToken: options.token ?? '',
        documentType: 'A44',
        in_Domain: eic,
        out_Domain: eic,
        periodStart: stamp(from_ms),
        periodEnd: stamp(to_ms),
      });
      const url = `${base}/api?${query}`;
      const reply = await ask({ provider: NAME, url, signal, via: options, accept: [400] });
      const series = decodePriceDocument(reply.text);
      const currency = series[0]?.['currency_Unit.name'] ?? priceArea(area)?.currency ?? 'EUR';
      const slots = slotsOfIntervals(NAME, series.flatMap(intervalsOf), { from_ms, to_ms });
      return { area, market, currency, vat_included: false, source: NAME, slots };
    },
  };
}

/** `yyyyMMddHHmm` in UTC. */
function stamp(at_ms: number): string {
  return new Date(at_ms).toISOString().replace(/[-T:]/g, '').slice(0, 12);
}

/**
 * The day-ahead series of the coupled auction (SDAC). Since 15-minute products Germany and others have a second,
 * separate auction in the same document: sequence 1 is SDAC, the others are left out.
 */
function decodePriceDocument(text: string): TimeSeries[] {
  if (XMLValidator.validate(text) !== true)
    throw new InvalidDataError(`${NAME} answers with something that is no XML: ${beginning(text)}`);
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    removeNSPrefix: true,
    isArray: (name) => LISTS.has(name),
  });
  const documents = parser.parse(text) as Documents;
  const { Acknowledgement_MarketDocument: refusal, Publication_MarketDocument: prices } = documents;
  if (refusal) return refused(refusal.Reason?.[0]);
  if (!prices) throw new InvalidDataError(`${NAME} answers with another document: ${beginning(text)}`);
  const coupled = (prices.TimeSeries ?? []).filter(
    (one) => (one[SEQUENCE] ?? '1') === '1' && (one['contract_MarketAgreement.type'] ?? 'A01') === 'A01',
  );
  const currencies = new Set(coupled.map((one) => one['currency_Unit.name']));
  if (currencies.size > 1)
    throw new InvalidDataError(`${NAME} mixes currencies in one document: ${[...currencies].join(', ')}.`);
  return coupled;
}

/** Reason 999 is "no matching data found": not published yet. */
function refused(reason: { code?: string; text?: string } | undefined): TimeSeries[] {
  const text = reason?.text ?? 'no reason given';
  if (reason?.code === '999' && /no matching data/i.test(text)) return [];
  throw new UnavailableError(`${NAME} has no answer: ${text}`, 'The box tries again by itself.');
}

/** Curve A03 leaves out points that repeat the one before, up to the interval's end; A01 has them all. */
function intervalsOf(series: TimeSeries): PriceInterval[] {
  const unit = series['price_Measure_Unit.name'] ?? 'MWH';
  if (unit.toUpperCase() !== 'MWH') throw new InvalidDataError(`${NAME} gives prices per \`${unit}\`, not per MWh.`);
  return (series.Period ?? []).flatMap((period) => periodIntervals(period, (series.curveType ?? 'A03') === 'A03'));
}

function periodIntervals({ timeInterval, resolution, Point: points = [] }: Period, repeats: boolean): PriceInterval[] {
  const [start_ms, end_ms] = [Date.parse(timeInterval?.start), Date.parse(timeInterval?.end)];
  const step_ms = STEPS_MS[resolution];
  if (!step_ms || !(end_ms > start_ms))
    throw new InvalidDataError(`${NAME} names a period that the box does not know: ${resolution}.`);
  const count = (end_ms - start_ms) / step_ms;
  const values = new Map(points.map((point) => [Number(point.position), amountOf(point)]));
  const found: PriceInterval[] = [];
  let last: number | null = null;
  for (let position = 1; position <= count; position++) {
    last = values.get(position) ?? (repeats && !values.has(position) ? last : null);
    const from_ms = start_ms + (position - 1) * step_ms;
    // the step, not the run of repeated points, tells how fine the series is
    found.push({ from_ms, to_ms: from_ms + step_ms, value: last });
  }
  return found;
}

function amountOf(point: Point): number | null {
  const text = point['price.amount']?.trim() ?? '';
  if (text === '') return null;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new InvalidDataError(`${NAME} gives \`${text}\` as a price.`);
  return value;
}
