/** Points at generation that stayed far below its forecast. */
import { localDate } from '../../engine/model/time.ts';
import type { Rule } from '../action.ts';
import { inWords } from '../words.ts';

const MIN_SHARE = 0.6;
const MIN_MISSING_KWH = 5;
/** Share of the missing energy that a fault explains, the rest being weather: least, expected, most. */
const FAULT = [0.1, 0.4, 1] as const;

/** Eligible where yesterday gave less than 60 % of what had been forecast and prices are known. */
export const inspectGeneration: Rule = (context) => {
  const day = context.yesterday_generation;
  const known = context.prices.flatMap((slot) => (slot.per_kWh === null ? [] : [slot.per_kWh]));
  if (!day || known.length === 0) return [];
  const missing_kWh = day.forecast_kWh - day.measured_kWh;
  if (missing_kWh < MIN_MISSING_KWH || day.measured_kWh > MIN_SHARE * day.forecast_kWh) return [];
  const mean = Math.max(0, known.reduce((a, b) => a + b, 0) / known.length);
  const [low, amount, high] = FAULT.map((share) => share * missing_kWh * mean) as [number, number, number];
  return [
    {
      id: `inspect_generation:${localDate(context.at_ms, context.time_zone)}`,
      kind: 'inspect_generation',
      text: inWords(context, {
        en: (f) => `Look at the solar plant: ${f.number(missing_kWh)} kWh less than forecast yesterday.`,
        de: (f) => `Sehen Sie nach der Solaranlage: gestern ${f.number(missing_kWh)} kWh weniger als vorhergesagt.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${f.number(day.measured_kWh)} kWh were produced, ${f.number(day.forecast_kWh)} kWh were forecast. It may have been the weather. The saving is per day at today's mean price, if a fault explains ${f.number(FAULT[1] * 100)} % of it (range: ${f.number(FAULT[0] * 100)} to ${f.number(FAULT[2] * 100)} %).`,
        de: (f) =>
          `${f.number(day.measured_kWh)} kWh wurden erzeugt, ${f.number(day.forecast_kWh)} kWh waren vorhergesagt. Es kann am Wetter gelegen haben. Die Ersparnis gilt je Tag zum heutigen mittleren Preis, wenn ein Fehler ${f.number(FAULT[1] * 100)} % davon erklärt (Spanne: ${f.number(FAULT[0] * 100)} bis ${f.number(FAULT[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: null,
      link: '/forecasts?series=generation',
    },
  ];
};
