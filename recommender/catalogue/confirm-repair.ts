/** Asks a second pair of eyes to confirm readings that somebody repaired: they count in bills. */
import type { Rule } from '../action.ts';
import { inWords } from '../words.ts';

const FRESH_MS = 7 * 86_400_000;
const MOST = 3;

/** Eligible for repairs of the last week of meter points that still exist. */
export const confirmRepair: Rule = (context) =>
  (context.repairs ?? [])
    .filter(
      ({ at_ms, meter, count }) =>
        count > 0 &&
        at_ms <= context.at_ms &&
        context.at_ms - at_ms < FRESH_MS &&
        context.meters.some(({ id }) => id === meter),
    )
    .slice(0, MOST)
    .map((repair) => ({
      id: `confirm_repair:${repair.id}`,
      kind: 'confirm_repair' as const,
      text: inWords(context, {
        en: () => `Confirm the repaired readings of ${repair.meter_name}.`,
        de: () => `Bestätigen Sie die reparierten Werte von ${repair.meter_name}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${f.number(repair.count)} values of ${repair.quantity} from ${f.time(repair.from_ms)} to ${f.time(repair.to_ms)} were set by hand and count in costs and reports.`,
        de: (f) =>
          `${f.number(repair.count)} Werte von ${repair.quantity} von ${f.time(repair.from_ms)} bis ${f.time(repair.to_ms)} wurden von Hand gesetzt und zählen in Kosten und Berichten.`,
      }),
      saving: null,
      deadline_ms: null,
      evidence: { repair: repair.id, meter: repair.meter },
      stake: repair.count,
      measure: null,
      link: `/meters/${encodeURIComponent(repair.meter)}/repair`,
    }));
