/** Asks for a look at a meter that is silent or whose value stands still. */
import type { AdviceContext, MeterState, Rule } from '../action.ts';
import { inWords } from '../words.ts';

/** A network that is down silences every meter: that many pieces of advice help nobody. */
const MOST = 10;

/** Eligible for meter points that are silent or stuck: the grid meter first, then those that are longest so. */
export const checkMeter: Rule = (context) =>
  context.meters
    .filter((meter) => meter.silent_since_ms !== null || meter.stuck_since_ms !== null)
    .sort((a, b) => Number(b.role === 'grid') - Number(a.role === 'grid') || sinceOf(a) - sinceOf(b))
    .slice(0, MOST)
    .map((meter) => ({
      // A new silence is new advice, the same one is not.
      id: `check_meter:${meter.id}:${meter.silent_since_ms !== null ? 'silent' : 'stuck'}:${sinceOf(meter)}`,
      kind: 'check_meter' as const,
      text: inWords(context, {
        en: () => `Check the meter ${meter.name}.`,
        de: () => `Prüfen Sie den Zähler ${meter.name}.`,
      }),
      why: reason(context, meter),
      saving: null,
      deadline_ms: null,
      evidence: { meter: meter.id },
      stake: 1,
      measure: null,
      link: `/meters/${encodeURIComponent(meter.id)}`,
    }));

const sinceOf = ({ silent_since_ms, stuck_since_ms }: MeterState): number => silent_since_ms ?? stuck_since_ms ?? 0;

function reason(context: AdviceContext, meter: MeterState) {
  const silent = meter.silent_since_ms;
  const since = silent ?? meter.stuck_since_ms ?? context.at_ms;
  return inWords(context, {
    en: (f) =>
      silent !== null
        ? `It has been silent since ${f.time(since)}. What it measures is missing in costs and forecasts.`
        : `Its value has not moved since ${f.time(since)}, although it should. What it measures may be wrong.`,
    de: (f) =>
      silent !== null
        ? `Er schweigt seit ${f.time(since)}. Was er misst, fehlt in Kosten und Vorhersagen.`
        : `Sein Wert steht seit ${f.time(since)}, obwohl er sich bewegen müsste. Was er misst, kann falsch sein.`,
  });
}
