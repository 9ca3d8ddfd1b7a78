/** Advice of the sample building: what to do, what came of it, and what to read. */
import { dayStart, HOUR_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import type { AdviceAction, AdviceService } from '../../gateway/services.ts';
import { SITE } from './sample-site.ts';

const ZONE = SITE.time_zone;

const ACTION: AdviceAction = {
  id: 'charge-now',
  kind: 'charge',
  text: {
    en: 'Charge the battery and the cars now, while power is cheap',
    de: 'Speicher und Autos jetzt laden, solange der Strom günstig ist',
  },
  why: {
    en: 'Until 15:30 a kWh costs 13 ct less than this evening, and the battery has room for 19 kWh.',
    de: 'Bis 15:30 kostet eine kWh 13 ct weniger als heute Abend, und der Speicher hat Platz für 19 kWh.',
  },
  saving: { amount: 4.1, low: 2.9, high: 5.6, currency: 'EUR' },
  propensity: 0.62,
  effort_min: 10,
  evidence: {},
  like_this: { accepted: 4, answered: 5 },
  chosen_by: 'learner',
  deadline_ms: Date.UTC(2026, 5, 17, 13, 30),
  link: '/prices',
};

const SECOND: AdviceAction = {
  ...ACTION,
  ...{ id: 'read_passage:d1', kind: 'read_passage', saving: null, deadline_ms: null, propensity: 0.05 },
  ...{ chosen_by: 'chance', like_this: { accepted: 0, answered: 0 }, link: '/documents/d1' },
  text: { en: 'Read § 20a in Energy Act (extract).', de: 'Lesen Sie § 20a in Energiegesetz (Auszug).' },
  why: {
    en: 'It is close to what was asked and read here lately: “The change of supplier must take 24 hours.”',
    de: 'Sie steht dem nahe, was hier zuletzt gefragt und gelesen wurde: „Der Wechsel dauert 24 Stunden.“',
  },
};

const PASSAGE = {
  ...{ id: 'p1', document: 'd1', document_title: 'Energy Act (extract)', version: '1', page: 3, section: '§ 20a' },
  ...{ quote: 'The technical change of supplier must be done within 24 hours.', relevance: 0.8 },
  because: { kind: 'question' as const, text: 'How long may a change of supplier take?' },
};

function performance(now_ms: number) {
  const weeks = Array.from({ length: 12 }, (_, i) => ({
    from_ms: dayStart(now_ms, ZONE) - (83 - 7 * i) * 24 * HOUR_MS,
    ...{ shown: 9 + (i % 4), accepted: 2 + (i % 5), dismissed: 4 - (i % 3) },
    ...{
      realised: i === 2 ? null : { amount: 6 + 1.7 * i, low: 3 + i, high: 9 + 2 * i },
      regret: i === 2 ? null : 0.3 - 0.02 * i,
    },
  }));
  const kinds = [
    { kind: 'shift_load', accepted: 14, answered: 18 },
    { kind: 'check_meter', accepted: 3, answered: 11 },
  ];
  return { currency: 'EUR', weeks, kinds, realised: { amount: 164.2, low: 121.5, high: 203.9 }, waiting: 2 };
}

export function sampleAdvice(clock: Clock): AdviceService {
  return {
    recommend: async () => ({
      ...{ decision_id: 'decision-1', made_ms: clock.now() - 60_000, actions: [ACTION, SECOND], quiet: false },
    }),
    documents: async () => [PASSAGE],
    feedback: async () => {},
    explain: async () => ({}),
    history: async () => [
      {
        ...{ decision_id: 'decision-0', at_ms: clock.now() - 26 * HOUR_MS, action: { ...ACTION, id: 'earlier' } },
        ...{
          outcome: 'accepted',
          outcome_ms: clock.now() - 25 * HOUR_MS,
          realised: { amount: 3.7, low: 0.9, high: 5.2 },
        },
      },
    ],
    performance: async () => performance(clock.now()),
    settings: async () => ({ per_day: 6, quiet: { from_min: 22 * 60, to_min: 6 * 60 }, demand_charge_per_kW: 7.5 }),
    saveSettings: async () => {},
    policy: async () => ({ live: 'default', since_ms: null, former: null, barred: [], judged: null }),
    log: async function* () {},
    record: async (_, events) => ({ stored: events.length }),
  };
}
