/** Points at a night in which more was drawn than usual. */
import type { Rule } from '../action.ts';
import { meanPrice } from '../windows.ts';
import { inWords } from '../words.ts';

const MIN_RISE = 1.25;
const MIN_EXCESS_W = 200;
const HOURS_A_MONTH = 730;
/** Share of the excess that will be found and stopped: least, expected, most. */
const FOUND = [0.25, 0.5, 1] as const;

/** Eligible where the last night's base load was a quarter and 200 W above its usual value, and prices are known. */
export const checkBaseLoad: Rule = (context) => {
  const { night } = context;
  const mean = meanPrice(context);
  if (!night || mean === null) return [];
  const excess_W = night.last_W - night.usual_W;
  if (excess_W < MIN_EXCESS_W || night.last_W < MIN_RISE * night.usual_W) return [];
  const monthly = (excess_W / 1000) * HOURS_A_MONTH * mean;
  const [low, amount, high] = FOUND.map((share) => share * monthly) as [number, number, number];
  if (amount <= 0) return [];
  return [
    {
      id: 'check_base_load',
      kind: 'check_base_load',
      text: inWords(context, {
        en: (f) => `Look for what ran last night: ${f.number(excess_W / 1000, 1)} kW more than usual.`,
        de: (f) => `Suchen Sie, was letzte Nacht lief: ${f.number(excess_W / 1000, 1)} kW mehr als üblich.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `From 01:00 to 04:00 the load was ${f.number(night.last_W / 1000, 1)} kW; the median of the two weeks before is ${f.number(night.usual_W / 1000, 1)} kW. The saving is for a month at today's mean price, if half of it is found (range: a quarter to all).`,
        de: (f) =>
          `Von 01:00 bis 04:00 lag die Last bei ${f.number(night.last_W / 1000, 1)} kW; der Median der zwei Wochen davor ist ${f.number(night.usual_W / 1000, 1)} kW. Die Ersparnis gilt für einen Monat zum heutigen mittleren Preis, wenn die Hälfte gefunden wird (Spanne: ein Viertel bis alles).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: null,
      evidence: {},
      stake: excess_W,
      measure: { kind: 'night', reference_W: night.last_W, gain_per_W: monthly / excess_W },
      link: '/forecasts?series=load',
    },
  ];
};
