/** The sentences of a quality report. */
import type { QualityEvent } from './accumulator.ts';
import type { Disagreement } from './agreement.ts';

export type Sentence = { en: string; de: string };

const SHOWN = 3;
const EVENTS: Record<QualityEvent['kind'], Sentence> = {
  reset: { en: 'register reset', de: 'Zählerrücksetzung' },
  rollover: { en: 'register rollover', de: 'Zählerüberlauf' },
  dip: { en: 'dip', de: 'Einbruch' },
  spike: { en: 'spike', de: 'Ausreißer' },
  jump: { en: 'impossible jump', de: 'unmöglicher Sprung' },
  unit: { en: 'another unit than before', de: 'andere Einheit als zuvor' },
  mixed: { en: 'two meters under one name', de: 'zwei Zähler unter einem Namen' },
  stuck: { en: 'stuck value', de: 'stehender Wert' },
  overlap: { en: 'overlap', de: 'Überlappung' },
  malformed: { en: 'malformed interval', de: 'fehlerhaftes Intervall' },
};

/** `02:10, 03:15 and 4 more` */
function times(at: readonly string[]): Sentence {
  const shown = at.slice(0, SHOWN).join(', ');
  const more = at.length - SHOWN;
  return more > 0 ? { en: `${shown} and ${more} more`, de: `${shown} und ${more} weitere` } : { en: shown, de: shown };
}

const kWh = (value: number, language: 'en' | 'de') =>
  `${value.toLocaleString(language, { maximumFractionDigits: 1 })} kWh`;

/** Each takes the local times of what was found; none found gives the good news. */
export const sentences = {
  schema(at: readonly string[]): Sentence {
    if (at.length === 0) return { en: 'All readings are well-formed.', de: 'Alle Messwerte sind wohlgeformt.' };
    const { en, de } = times(at);
    return {
      en: `Readings with an impossible time or interval were left out: ${en}.`,
      de: `Messwerte mit unmöglicher Zeit oder unmöglichem Intervall sind ausgenommen: ${de}.`,
    };
  },
  nulls(count: number, expected: number, at: readonly string[]): Sentence {
    if (count === 0)
      return { en: `All ${expected} slots are known.`, de: `Alle ${expected} Zeitscheiben sind bekannt.` };
    const { en, de } = times(at);
    return {
      en: `${count} of ${expected} slots have no value, from ${en}.`,
      de: `${count} von ${expected} Zeitscheiben haben keinen Wert, ab ${de}.`,
    };
  },
  ranges(at: readonly string[]): Sentence {
    if (at.length === 0) return { en: 'All values are plausible.', de: 'Alle Werte sind plausibel.' };
    const { en, de } = times(at);
    return {
      en: `Values outside the plausible range were left out: ${en}.`,
      de: `Werte außerhalb des plausiblen Bereichs sind ausgenommen: ${de}.`,
    };
  },
  gaps(at: readonly string[], longest_min: number, counted: boolean): Sentence {
    if (at.length === 0) return { en: 'The meter reported without gaps.', de: 'Der Zähler meldete ohne Lücken.' };
    const { en, de } = times(at);
    const minutes = Math.round(longest_min);
    return {
      en: `The meter was silent from ${en}; the longest silence took ${minutes} minutes.${counted ? ' What it counted meanwhile is known as a sum.' : ''}`,
      de: `Der Zähler schwieg ab ${de}; am längsten ${minutes} Minuten.${counted ? ' Was er dabei zählte, ist als Summe bekannt.' : ''}`,
    };
  },
  agreement({ kind, register_kWh, power_kWh }: Disagreement): Sentence {
    if (kind === 'swapped')
      return {
        en: `Import and export look swapped: the registers give ${kWh(register_kWh, 'en')}, the power ${kWh(power_kWh, 'en')}. The registers count.`,
        de: `Bezug und Einspeisung scheinen vertauscht: Die Zählwerke ergeben ${kWh(register_kWh, 'de')}, die Leistung ${kWh(power_kWh, 'de')}. Es gelten die Zählwerke.`,
      };
    return {
      en: `Registers and power disagree: ${kWh(register_kWh, 'en')} against ${kWh(power_kWh, 'en')}. The registers count.`,
      de: `Zählwerke und Leistung widersprechen sich: ${kWh(register_kWh, 'de')} gegen ${kWh(power_kWh, 'de')}. Es gelten die Zählwerke.`,
    };
  },
  outliers(kinds: readonly QualityEvent['kind'][], at: readonly string[]): Sentence {
    if (at.length === 0)
      return { en: 'No spikes, dips or resets.', de: 'Keine Ausreißer, Einbrüche oder Rücksetzungen.' };
    const { en, de } = times(at);
    const names = (language: 'en' | 'de') => kinds.map((kind) => EVENTS[kind][language]).join(', ');
    return {
      en: `Recognised and left out of sums (${names('en')}): ${en}.`,
      de: `Erkannt und aus Summen ausgenommen (${names('de')}): ${de}.`,
    };
  },
};
