/**
 * `GET /api?documentType=A44` of web-api.tp.entsoe.eu: a Publication_MarketDocument with curve A03 (repeated points
 * are left out), hours before and quarters after the change of the market, and Germany's second auction as sequence 2.
 */
import { addDays, dayStart } from '../../../engine/model/time.ts';
import { type Answer, type MarketTruth, published, type Shape } from './market-truth.ts';

const ZONE = 'Europe/Berlin';
const AREAS: Readonly<Record<string, string>> = { '10Y1001A1001A82H': 'DE-LU', '10YAT-APG------L': 'AT' };

/** The second auction's prices differ by this much, so that a mix-up is seen. */
export const SECOND_AUCTION_OFFSET = 7;

export const entsoe: Shape = ({ path, query }, truth) => {
  if (path !== '/api') return xml('<html>Not Found</html>', 404);
  if (!query.get('securityToken')) return xml(acknowledgement('A01', 'Invalid or missing security token.'), 401);
  const area = AREAS[query.get('in_Domain') ?? ''];
  const [from_ms, to_ms] = [instant(query.get('periodStart')), instant(query.get('periodEnd'))];
  const days = area ? marketDays(truth, area, from_ms, to_ms) : [];
  if (days.length === 0) return xml(acknowledgement('999', 'No matching data found for Data item Energy Prices'));
  const series = days.flatMap((day, i) => [
    timeSeries(2 * i + 1, query.get('in_Domain') ?? '', 1, day, 0),
    timeSeries(2 * i + 2, query.get('in_Domain') ?? '', 2, day, SECOND_AUCTION_OFFSET),
  ]);
  return xml(`<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>0000000000000000000000000000000a</mRID><revisionNumber>1</revisionNumber><type>A44</type>
  <period.timeInterval><start>${minute(from_ms)}</start><end>${minute(to_ms)}</end></period.timeInterval>
${series.join('\n')}
</Publication_MarketDocument>`);
};

type Day = { from_ms: number; to_ms: number; step_ms: number; values: (number | null)[] };

/** ENTSO-E answers with whole market days, cut where the resolution changes. */
function marketDays(truth: MarketTruth, area: string, from_ms: number, to_ms: number): Day[] {
  const days: Day[] = [];
  for (let start = dayStart(from_ms, ZONE); start < to_ms; start = addDays(start, 1, ZONE)) {
    const end = addDays(start, 1, ZONE);
    const intervals = published(truth, area, 'day-ahead', start, end);
    const first = intervals[0];
    if (!first) continue;
    const step_ms = first.to_ms - first.from_ms;
    days.push({ from_ms: start, to_ms: end, step_ms, values: intervals.map(({ value }) => value) });
  }
  return days;
}

function timeSeries(id: number, domain: string, sequence: number, day: Day, offset: number): string {
  const points = day.values.flatMap((value, i) =>
    // A03: a point that repeats the one before is left out
    i > 0 && value === day.values[i - 1]
      ? []
      : [
          `<Point><position>${i + 1}</position><price.amount>${value === null ? '' : value + offset}</price.amount></Point>`,
        ],
  );
  return `  <TimeSeries>
    <mRID>${id}</mRID><auction.type>A01</auction.type><businessType>A62</businessType>
    <in_Domain.mRID codingScheme="A01">${domain}</in_Domain.mRID><out_Domain.mRID codingScheme="A01">${domain}</out_Domain.mRID>
    <contract_MarketAgreement.type>A01</contract_MarketAgreement.type>
    <currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
    <classificationSequence_AttributeInstanceComponent.position>${sequence}</classificationSequence_AttributeInstanceComponent.position>
    <curveType>A03</curveType>
    <Period>
      <timeInterval><start>${minute(day.from_ms)}</start><end>${minute(day.to_ms)}</end></timeInterval>
      <resolution>PT${day.step_ms / 60_000}M</resolution>
      ${points.join('')}
    </Period>
  </TimeSeries>`;
}

function acknowledgement(code: string, text: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">
  <mRID>0000000000000000000000000000000b</mRID>
  <Reason><code>${code}</code><text>${text}</text></Reason>
</Acknowledgement_MarketDocument>`;
}

function xml(body: string, status = 200): Answer {
  return { status, type: 'text/xml', body };
}

function minute(at_ms: number): string {
  return `${new Date(at_ms).toISOString().slice(0, 16)}Z`;
}

function instant(stamp: string | null): number {
  const [, year, month, day, hour, min] = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(stamp ?? '') ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(min));
}
