/** Figures of this site as sentences, each with the figures it states and the page that shows them. It only reads. */
import { addDays, addMonths, dayStart, instantOf, localDate, SLOT_MS } from '../../../engine/model/time.ts';
import type { Clock, Columns } from '../../../engine/ports.ts';
import type { DraftSentence } from '../../../engine/rag/graph.ts';
import { readSiteQuestion, type SitePeriod, type SiteSubject } from '../../../engine/rag/site-question.ts';
import { createFormat, type Format } from '../../../web/format.ts';
import { createTranslate } from '../../../web/i18n/text.ts';
import type { Actor, DataService, ForecastService, PriceService, SiteService } from '../../services.ts';
import { limitTerm, type Term, type TermDeps, tariffTerm } from './site-terms.ts';

export type SiteFacts = {
  /** Whether the question is about this site's figures. */
  concerns(question: string): boolean;
  /** Empty where there are none for that time. */
  sentences(tenant: string, question: string, language: Actor['language']): Promise<DraftSentence[]>;
  /** Every number that a sentence says stands in its figures. */
  holds(sentence: DraftSentence): boolean;
};
/** What of a plan is told; power in W per slot of `slot_min` minutes, + is import. */
type PlanFigures = {
  from_ms: number;
  slot_min: number;
  grid_W: readonly number[];
  unplanned_W: readonly number[];
};
export type SiteFactDeps = {
  clock: Clock;
  site: Pick<SiteService, 'get'>;
  prices: Pick<PriceService, 'site'>;
  data: Pick<DataService, 'balance' | 'cost'>;
  forecasts: Pick<ForecastService, 'latest'>;
  plans?: { latest(tenant: string): Promise<PlanFigures | null> } & NonNullable<TermDeps['plans']>;
} & Pick<TermDeps, 'tariffs'>;
type Span = { from_ms: number; to_ms: number; tz: string };
type Asked = { tenant: string; language: 'en' | 'de'; format: Format; span: Span };
type Tell = (deps: SiteFactDeps, asked: Asked) => Promise<DraftSentence[]>;

export function createSiteFacts(deps: SiteFactDeps): SiteFacts {
  return {
    concerns: (question) => readSiteQuestion(question) !== null,
    async sentences(tenant, question, language) {
      const read = readSiteQuestion(question);
      const site = deps.site.get(tenant);
      if (!read || !site) return [];
      const { time_zone, currency } = site;
      const format = createFormat({ language, time_zone, currency, t: createTranslate(language) });
      const span = spanOf(read.period, deps.clock.now(), time_zone);
      return TELL[read.subject](deps, { tenant, language, format, span });
    },
    holds: ({ text, figures = [] }) => {
      const there = figures.map(({ quote, title }) => `${title} ${quote}`).join('\n');
      const known = new Set(numbersIn(there));
      return figures.length > 0 && numbersIn(text).every((number) => known.has(number));
    },
  };
}

const numbersIn = (text: string) => text.match(/\d+(?:[.,:]\d+)*/g) ?? [];

function spanOf(period: SitePeriod, now_ms: number, tz: string): Span {
  const today = dayStart(now_ms, tz);
  if (period.kind === 'date') {
    const [year = 1970, month = 1, day = 1] = period.date.split('-').map(Number);
    const from_ms = instantOf(tz, year, month, day);
    return { from_ms, to_ms: addDays(from_ms, 1, tz), tz };
  }
  if (period.kind === 'day') {
    const from_ms = addDays(today, period.offset, tz);
    return { from_ms, to_ms: addDays(from_ms, 1, tz), tz };
  }
  if (period.kind === 'week') {
    const weekday = (new Date(`${localDate(today, tz)}T12:00:00Z`).getUTCDay() + 6) % 7;
    const from_ms = addDays(today, 7 * period.offset - weekday, tz);
    return { from_ms, to_ms: addDays(from_ms, 7, tz), tz };
  }
  const [year = 1970, month = 1] = localDate(today, tz).split('-').map(Number);
  const from_ms = addMonths(instantOf(tz, year, month, 1), period.offset, tz);
  return { from_ms, to_ms: addMonths(from_ms, 1, tz), tz };
}

type Summary = {
  mean: number;
  sum: number;
  least: number;
  least_ms: number;
  most: number;
  most_ms: number;
  known: number;
};

function summaryOf({ at_ms, values }: Pick<Columns, 'at_ms' | 'values'>): Summary | null {
  let [sum, known, least, most, least_ms, most_ms] = [0, 0, Infinity, -Infinity, 0, 0];
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    [sum, known] = [sum + value, known + 1];
    if (value < least) [least, least_ms] = [value, at_ms[i] ?? 0];
    if (value > most) [most, most_ms] = [value, at_ms[i] ?? 0];
  });
  return known === 0 ? null : { mean: sum / known, sum, least, least_ms, most, most_ms, known };
}

/** One text in both languages, whose figures are its own words: what it says is what was read. */
function told(
  asked: Asked,
  href: string,
  title: { en: string; de: string },
  text: { en: string; de: string },
): DraftSentence {
  const { language, span, format } = asked;
  const days = Math.round((span.to_ms - span.from_ms) / 86_400_000);
  const when = format.longDate(span.from_ms) + (days > 1 ? ` – ${format.longDate(span.to_ms - 1)}` : '');
  const words = `${when}: ${text[language]}`;
  return {
    text: words,
    citations: [],
    figures: [{ title: `${title[language]}, ${when}`, href, quote: text[language] }],
  };
}

const coverage = ({ span }: Asked, known: number) => `${known}/${Math.round((span.to_ms - span.from_ms) / SLOT_MS)}`;

const price: Tell = async ({ prices }, asked) => {
  const { tenant, span, format } = asked;
  const { columns, currency } = await prices.site(tenant, span.from_ms, span.to_ms);
  const found = summaryOf(columns);
  if (!found) return [];
  const [mean, least, most] = [found.mean, found.least, found.most].map((value) => format.price(value, currency));
  const [least_at, most_at] = [format.time(found.least_ms), format.time(found.most_ms)];
  const before_ms = addDays(span.from_ms, -1, span.tz);
  const before = summaryOf((await prices.site(tenant, before_ms, span.from_ms)).columns);
  const sentences = [
    told(
      asked,
      '/prices',
      { en: 'Price from the grid', de: 'Preis aus dem Netz' },
      {
        en: `the mean price from the grid was ${mean}, lowest ${least} at ${least_at} and highest ${most} at ${most_at} (${coverage(asked, found.known)} quarter hours known).`,
        de: `Der Preis aus dem Netz betrug im Mittel ${mean}, am niedrigsten ${least} um ${least_at} und am höchsten ${most} um ${most_at} (${coverage(asked, found.known)} Viertelstunden bekannt).`,
      },
    ),
  ];
  if (before) {
    const earlier = format.price(before.mean, currency);
    sentences.push(
      told(
        asked,
        '/prices',
        { en: 'Compared with the day before', de: 'Verglichen mit dem Tag davor' },
        { en: `the day before the mean was ${earlier}.`, de: `Am Tag davor waren es im Mittel ${earlier}.` },
      ),
    );
  }
  return sentences;
};

const balance =
  (kind: 'load' | 'generation', title: { en: string; de: string }): Tell =>
  async ({ data }, asked) => {
    const { tenant, span, format } = asked;
    const found = summaryOf(await data.balance(tenant, kind, span.from_ms, span.to_ms));
    if (!found) return [];
    const energy = format.energy((found.sum * SLOT_MS) / 3_600_000 / 1000);
    const [most, most_at] = [format.power(found.most), format.time(found.most_ms)];
    return [
      told(asked, '/', title, {
        en: `${title.en}: ${energy}, highest quarter hour ${most} at ${most_at} (${coverage(asked, found.known)} quarter hours known).`,
        de: `${title.de}: ${energy}, höchste Viertelstunde ${most} um ${most_at} (${coverage(asked, found.known)} Viertelstunden bekannt).`,
      }),
    ];
  };

const cost: Tell = async ({ data }, asked) => {
  const { tenant, span, format } = asked;
  const { amount, currency, import_kWh, missing_slots } = await data.cost(tenant, span.from_ms, span.to_ms);
  if (amount === null || import_kWh === null) return [];
  const [money, energy] = [format.money(amount, currency), format.energy(import_kWh)];
  return [
    told(
      asked,
      '/bill',
      { en: 'Cost of energy', de: 'Energiekosten' },
      {
        en: `energy from the grid cost ${money} for ${energy} (${missing_slots} quarter hours unknown).`,
        de: `Energie aus dem Netz kostete ${money} für ${energy} (${missing_slots} Viertelstunden unbekannt).`,
      },
    ),
  ];
};

const forecast: Tell = async ({ forecasts, clock }, asked) => {
  const { tenant, span, format } = asked;
  const made = await forecasts.latest(tenant, 'load', clock.now());
  const points = made?.points.filter(({ at_ms }) => at_ms >= span.from_ms && at_ms < span.to_ms) ?? [];
  const found = summaryOf({
    at_ms: Float64Array.from(points, ({ at_ms }) => at_ms),
    values: Float64Array.from(points, ({ mean }) => mean),
  });
  if (!made || !found) return [];
  const energy = format.energy((found.sum * SLOT_MS) / 3_600_000 / 1000);
  const [most, most_at] = [format.power(found.most), format.time(found.most_ms)];
  return [
    told(
      asked,
      '/forecasts',
      { en: 'Forecast of the load', de: 'Prognose der Last' },
      {
        en: `the load is forecast at ${energy}, highest quarter hour ${most} at ${most_at} (${coverage(asked, found.known)} quarter hours, model ${made.model}).`,
        de: `Für die Last werden ${energy} erwartet, höchste Viertelstunde ${most} um ${most_at} (${coverage(asked, found.known)} Viertelstunden, Modell ${made.model}).`,
      },
    ),
  ];
};

const plan: Tell = async ({ plans }, asked) => {
  const { tenant, span, format } = asked;
  const found = await plans?.latest(tenant);
  if (!found) return [];
  const { slot_min, from_ms } = found;
  const importOf = (power: readonly number[]) =>
    power.reduce((sum, value, i) => {
      const at_ms = from_ms + i * slot_min * 60_000;
      return at_ms < span.from_ms || at_ms >= span.to_ms ? sum : sum + (Math.max(0, value) * slot_min) / 60_000;
    }, 0);
  const [planned, without] = [importOf(found.grid_W), importOf(found.unplanned_W)].map((kWh) => format.energy(kWh));
  return [
    told(
      asked,
      '/plan',
      { en: 'Plan of the site', de: 'Plan des Standorts' },
      {
        en: `the plan takes ${planned} from the grid; without it ${without} would be taken.`,
        de: `Der Plan bezieht ${planned} aus dem Netz; ohne ihn wären es ${without}.`,
      },
    ),
  ];
};

/** What holds now has no day of its own. */
const standing =
  (
    termOf: (
      deps: TermDeps,
      tenant: string,
      formats: Parameters<typeof limitTerm>[2],
    ) => Promise<Term | null> | Term | null,
  ): Tell =>
  async (deps, { tenant, language, format }) => {
    const day = (text: string) => format.longDate(new Date(`${text}T12:00:00Z`).getTime());
    const term = await termOf(deps, tenant, { power: format.power, day });
    if (!term) return [];
    const text = term.text[language];
    return [{ text, citations: [], figures: [{ title: term.title[language], href: term.href, quote: text }] }];
  };

const TELL: Record<SiteSubject, Tell> = {
  ...{ price, cost, forecast, plan, tariff: standing(tariffTerm), limits: standing(limitTerm) },
  load: balance('load', { en: 'Consumption', de: 'Verbrauch' }),
  generation: balance('generation', { en: 'Generation', de: 'Erzeugung' }),
};
