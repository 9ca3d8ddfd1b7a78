/** Names a tariff under which the site's own year would have cost less. */
import type { Rule } from '../action.ts';
import { inWords } from '../words.ts';

/** Nobody changes for less. */
const MIN_SHARE = 0.03;
const MIN_SAVING = 50;

/** Eligible with simulated tariffs of which the best is 3 % and 50 below the current one, in its cautious case still below. */
export const changeTariff: Rule = (context) => {
  const { tariffs } = context;
  if (!tariffs) return [];
  const { current } = tariffs;
  const open = tariffs.offers.filter(
    ({ id, until_ms }) => id !== current.id && (until_ms === null || until_ms > context.at_ms),
  );
  if (open.length === 0) return [];
  const best = open.reduce((a, b) => (b.cost_year < a.cost_year ? b : a));
  const amount = current.cost_year - best.cost_year;
  const low = current.cost_year - best.high_year;
  const high = current.cost_year - best.low_year;
  if (amount < Math.max(MIN_SAVING, MIN_SHARE * Math.abs(current.cost_year)) || low <= 0) return [];
  return [
    {
      id: `change_tariff:${best.id}`,
      kind: 'change_tariff',
      text: inWords(context, {
        en: () => `Look at the tariff ${best.name}: it fits this site better than ${current.name}.`,
        de: () => `Prüfen Sie den Tarif ${best.name}: Er passt besser zu diesem Standort als ${current.name}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `Simulated with the site's own load, a year costs ${f.money(best.cost_year, 0)} instead of ${f.money(current.cost_year, 0)}. The saving is for a year; its range is that of prices and load.`,
        de: (f) =>
          `Mit der Last des Standorts gerechnet kostet ein Jahr ${f.money(best.cost_year, 0)} statt ${f.money(current.cost_year, 0)}. Die Ersparnis gilt für ein Jahr; die Spanne ist die von Preisen und Last.`,
      }),
      saving: { amount, low, high: Math.max(amount, high), currency: context.currency },
      deadline_ms: best.until_ms,
      evidence: {},
      stake: amount,
      measure: null,
      link: '/prices',
    },
  ];
};
