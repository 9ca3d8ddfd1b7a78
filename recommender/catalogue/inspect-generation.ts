/** Points at generation that stayed far below its forecast. */
import type { Rule } from '../action.ts';
import { meanPrice } from '../windows.ts';
import { inWords } from '../words.ts';

const MIN_SHARE = 0.6;
const MIN_MISSING_KWH = 5;
/** Share of the missing energy that a fault explains, the rest being weather: least, expected, most. */
const FAULT = [0.1, 0.4, 1] as const;

/** Eligible where yesterday gave less than 60 % of what had been forecast and prices are known. */
export const inspectGeneration: Rule = (context) => {
  const day = context.yesterday_generation;
  const price = meanPrice(context);
  if (!day || price === null) return [];
  const missing_kWh = day.forecast_kWh - day.measured_kWh;
  if (missing_kWh < MIN_MISSING_KWH || day.measured_kWh > MIN_SHARE * day.forecast_kWh) return [];
  const mean = Math.max(0, price);
  const [low, amount, high] = FAULT.map((share) => share * missing_kWh * mean) as [number, number, number];
  return [
    {
      id: 'inspect_generation',
      kind: 'inspect_generation',
      text: inWords(context, {
        en: (f) =>
          `Look at the solar plant and whether it is clean: ${f.number(missing_kWh)} kWh less than forecast yesterday.`,
        de: (f) =>
          `Sehen Sie nach der Solaranlage und ob sie sauber ist: gestern ${f.number(missing_kWh)} kWh weniger als vorhergesagt.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${f.number(day.measured_kWh)} kWh were produced, ${f.number(day.forecast_kWh)} kWh were forecast. It may have been the weather. The saving is per day at today's mean price, if a fault explains ${f.number(FAULT[1] * 100)} % of it (range: ${f.number(FAULT[0] * 100)} to ${f.number(FAULT[2] * 100)} %).`,
        de: (f) =>
          `${f.number(day.measured_kWh)} kWh wurden erzeugt, ${f.number(day.forecast_kWh)} kWh waren vorhergesagt. Es kann am Wetter gelegen haben. Die Ersparnis gilt je Tag zum heutigen mittleren Preis, wenn ein Fehler ${f.number(FAULT[1] * 100)} % davon erklärt (Spanne: ${f.number(FAULT[0] * 100)} bis ${f.number(FAULT[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: null,
      evidence: {},
      stake: missing_kWh,
      measure: { kind: 'yield', reference: day.measured_kWh / day.forecast_kWh, gain: day.forecast_kWh * mean },
      link: '/forecasts?series=generation',
    },
  ];
};
