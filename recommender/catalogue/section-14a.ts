/** Chooses the module under § 14a EnWG (controllable consumers pay a lower grid fee) that saves most. */
import type { Rule } from '../action.ts';
import { inWords } from '../words.ts';

/** The law is for controllable consumers above this power. */
const LEAST_W = 4200;
const MIN_GAIN = 20;

/** Eligible with controllable consumers above 4.2 kW and a module that saves 20 a year more than the present one. */
export const section14a: Rule = (context) => {
  const state = context.section_14a;
  if (!state || !(state.devices_W > LEAST_W) || state.modules.length === 0) return [];
  const present = state.modules.find(({ module }) => module === state.module);
  const best = state.modules.reduce((a, b) => (b.saving_year > a.saving_year ? b : a));
  const before = present?.saving_year ?? 0;
  const amount = best.saving_year - before;
  if (best.module === state.module || amount < MIN_GAIN) return [];
  return [
    {
      id: `set_14a_module:${best.module}`,
      kind: 'set_14a_module',
      text: inWords(context, {
        en: () => `Ask the grid operator for module ${best.module} under § 14a EnWG.`,
        de: () => `Beantragen Sie beim Netzbetreiber das Modul ${best.module} nach § 14a EnWG.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `Controllable consumers of ${f.number(state.devices_W / 1000, 1)} kW may pay a lower grid fee. Module ${best.module} saves ${f.money(best.saving_year, 0)} a year${present ? `, module ${present.module} saves ${f.money(before, 0)}` : ', none is chosen yet'}. The operator may then limit them to 4.2 kW each for a while.`,
        de: (f) =>
          `Steuerbare Verbraucher mit ${f.number(state.devices_W / 1000, 1)} kW zahlen weniger Netzentgelt. Modul ${best.module} spart ${f.money(best.saving_year, 0)} im Jahr${present ? `, Modul ${present.module} ${f.money(before, 0)}` : '; noch ist keines gewählt'}. Der Netzbetreiber darf sie dann zeitweise auf je 4,2 kW begrenzen.`,
      }),
      saving: {
        amount,
        low: Math.min(amount, best.low_year - before),
        high: Math.max(amount, best.high_year - before),
        currency: context.currency,
      },
      deadline_ms: null,
      evidence: {},
      stake: amount,
      measure: null,
      link: '/ask?question=%C2%A7+14a+EnWG',
    },
  ];
};
