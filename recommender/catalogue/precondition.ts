/** Heats or cools ahead in cheap hours, so that dear ones need less. Rooms never leave their comfort band. */
import { localDate } from '../../engine/model/time.ts';
import type { Rule } from '../action.ts';
import { bestPair, measuredEnergy } from '../windows.ts';
import { inWords } from '../words.ts';

const SLOTS = 8;
const HOURS = SLOTS / 4;
const HORIZON_MS = 12 * 3_600_000;
/** Warmth that is stored longer is lost. */
const MAX_PAUSE_MS = 6 * 3_600_000;
/** Share of the energy of the dear window that was stored before: least, expected, most. */
const MOVED = [0.25, 0.45, 0.65] as const;
/** What storing costs in extra losses. */
const KEPT = 0.85;
const STEP_K = 1;
const MIN_SAVING = 0.2;

/** Eligible with a known climate plant whose rooms have a kelvin of room in the right direction, and a spread that pays. */
export const precondition: Rule = (context) => {
  const { climate } = context;
  const found = bestPair(context, SLOTS, HORIZON_MS, KEPT);
  if (!climate || !found || !(climate.electric_W > 0)) return [];
  const { cheap, dear } = found;
  const heats = climate.mode === 'heat';
  const target_C = climate.room_C + (heats ? STEP_K : -STEP_K);
  const [low_C, high_C] = climate.comfort_C;
  const safe = climate.room_C >= low_C && climate.room_C <= high_C && target_C >= low_C && target_C <= high_C;
  if (!safe || dear.from_ms - cheap.to_ms > MAX_PAUSE_MS) return [];
  const energy_kWh = (climate.electric_W / 1000) * HOURS;
  const gain = dear.mean_per_kWh - cheap.mean_per_kWh / KEPT;
  const [low, amount, high] = MOVED.map((share) => share * energy_kWh * gain) as [number, number, number];
  if (amount < MIN_SAVING) return [];
  return [
    {
      id: `precondition:${localDate(cheap.from_ms, context.time_zone)}`,
      kind: 'precondition',
      text: inWords(context, {
        en: (f) => `${heats ? 'Heat' : 'Cool'} the rooms to ${f.number(target_C, 1)} °C ${f.window(cheap)}.`,
        de: (f) =>
          `${heats ? 'Heizen' : 'Kühlen'} Sie die Räume ${f.window(cheap)} auf ${f.number(target_C, 1)} °C${heats ? ' vor' : ' herunter'}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `A kWh costs ${f.money(cheap.mean_per_kWh)} then and ${f.money(dear.mean_per_kWh)} ${f.window(dear)}. The rooms stay between ${f.number(low_C, 1)} and ${f.number(high_C, 1)} °C. The saving assumes that ${f.number(MOVED[1] * 100)} % of the later energy is stored before (range: ${f.number(MOVED[0] * 100)} to ${f.number(MOVED[2] * 100)} %).`,
        de: (f) =>
          `Eine kWh kostet dann ${f.money(cheap.mean_per_kWh)} und ${f.window(dear)} ${f.money(dear.mean_per_kWh)}. Die Räume bleiben zwischen ${f.number(low_C, 1)} und ${f.number(high_C, 1)} °C. Die Ersparnis nimmt an, dass ${f.number(MOVED[1] * 100)} % der späteren Energie vorher gespeichert werden (Spanne: ${f.number(MOVED[0] * 100)} bis ${f.number(MOVED[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: cheap.to_ms,
      evidence: { slots: [cheap, dear] },
      stake: amount,
      measure: measuredEnergy(context, 'load', [cheap, dear], (per_kWh) => -per_kWh),
      link: '/prices',
    },
  ];
};
