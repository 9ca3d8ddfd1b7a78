/** Passages of a made-up grid code, and sentences about them that are true, in the words of the text and in others. */
import type { Passage } from '../../../engine/ports.ts';
import type { CitedSentence } from '../../../engine/rag/verify.ts';

type Place = { id: string; title: string; section: string; language: 'de' | 'en'; page: number | null; text: string };
const START = 100;

const PLACES: readonly Place[] = [
  {
    ...{ id: 'enwg:1', title: 'Netzgesetz (NetzG)', section: '§ 14a Steuerbare Anlagen (1)', language: 'de', page: 3 },
    text: '(1) Betreiber von Elektrizitätsverteilernetzen haben denjenigen Lieferanten, mit denen sie Netznutzungsverträge abgeschlossen haben, ein reduziertes Netzentgelt zu berechnen, wenn eine Steuerung vereinbart ist. Die Mindestleistung darf 4,2 Kilowatt nicht unterschreiten. Die Verringerung beträgt 110 bis 190 Euro im Jahr.',
  },
  {
    ...{ id: 'enwg:2', title: 'Netzgesetz (NetzG)', section: '§ 15 Fristen (2)', language: 'de', page: 4 },
    text: '(2) Der Antrag ist innerhalb von drei Monaten nach Zugang der Rechnung zu stellen. Anträge nach § 14a können bis zum 30. Juni 2027 nachgereicht werden. Für Anlagen über 100 Kilowatt gilt eine Frist von 6 Wochen, für Anlagen bis 100 Kilowatt eine Frist von 4 Wochen.',
  },
  {
    ...{ id: 'enwg:3', title: 'Netzgesetz (NetzG)', section: '§ 16 Vergütung', language: 'de', page: 5 },
    text: 'Der anzulegende Wert beträgt für Gebäudeanlagen bis 10 Kilowatt 8,60 Cent pro Kilowattstunde und bis 40 Kilowatt 7,50 Cent pro Kilowattstunde. Die Bundesnetzagentur veröffentlicht die Werte jährlich zum 1. Februar. Kleinanlagen sind von der Umlage befreit.',
  },
  {
    ...{ id: 'steuer:1', title: 'Stromabgabengesetz', section: '§ 3 Steuertarif', language: 'de', page: null },
    text: 'Die Steuer beträgt 20,50 Euro für eine Megawattstunde. Für Unternehmen des Produzierenden Gewerbes ermäßigt sie sich auf 0,50 Euro für eine Megawattstunde, wenn der Verbrauch 1.000 Megawattstunden im Jahr übersteigt.',
  },
  {
    ...{ id: 'code:1', title: 'Grid Code of Luna City', section: 'Article 5 Storage (3)', language: 'en', page: 9 },
    text: '(3) Distribution system operators shall not own, develop, manage or operate energy storage facilities. Owners of storage facilities must report their capacity within 30 days. The report may be sent by Storwatt Agency on their behalf.',
  },
  {
    ...{ id: 'code:2', title: 'Grid Code of Luna City', section: 'Article 8 Fees', language: 'en', page: 11 },
    text: 'The annual fee is 12 EUR per meter and 15 EUR per gateway. It is due on 1 March 2026 at the latest. Meters below 3 kW are exempt from the fee unless they feed in more than 1,500 kWh a year.',
  },
  {
    ...{ id: 'code:3', title: 'Grid Code of Luna City', section: 'Article 9 Switching', language: 'en', page: 12 },
    text: 'A switch of supplier shall take no longer than three weeks from the date of the request. By 2027 the technical process shall take at most 24 hours. Section 3.2 of the Metering Rules applies.',
  },
];

export const PASSAGES: readonly Passage[] = PLACES.map(({ id, title, section, language, page, text }) => ({
  ...{ id, document: id.split(':')[0]!, document_title: title, version: '2', page, section, text, language },
  ...{ start: START, end: START + text.length },
}));

const passageOf = (id: string) => PASSAGES.find((passage) => passage.id === id)!;

/** A sentence about a passage with the piece of it that begins and ends so. */
export function cited(id: string, text: string, quote: string): CitedSentence {
  const passage = passageOf(id);
  const at = passage.text.indexOf(quote);
  if (at === -1) throw new Error(`${id} does not say ${quote}`);
  const { document, document_title, version, page, section } = passage;
  const place = { document, document_title, version, page, section };
  return { text, citations: [{ ...place, passage: id, quote, start: START + at, end: START + at + quote.length }] };
}

const sentencesIn = (text: string) => text.split(/(?<=[a-zäöüß]\.) (?=[A-Z])/);

/** Each sentence of each passage as its own quote, as without a language model. */
const EXTRACTED: readonly CitedSentence[] = PASSAGES.flatMap(({ id, text }) =>
  sentencesIn(text).map((quote) => cited(id, quote, quote)),
);

/** What a language model might write. */
const WRITTEN: readonly CitedSentence[] = [
  cited(
    'enwg:1',
    'Nach § 14a Abs. 1 darf die Mindestleistung 4,2 Kilowatt nicht unterschreiten.',
    'Die Mindestleistung darf 4,2 Kilowatt nicht unterschreiten.',
  ),
  cited(
    'enwg:1',
    'Die Verringerung beträgt im Jahr 110 bis 190 Euro.',
    'Die Verringerung beträgt 110 bis 190 Euro im Jahr.',
  ),
  cited(
    'enwg:2',
    'Der Antrag ist innerhalb von 3 Monaten zu stellen.',
    'Der Antrag ist innerhalb von drei Monaten nach Zugang der Rechnung zu stellen.',
  ),
  cited(
    'enwg:2',
    'Anträge nach § 14a können bis 30.06.2027 nachgereicht werden.',
    'Anträge nach § 14a können bis zum 30. Juni 2027 nachgereicht werden.',
  ),
  cited(
    'enwg:2',
    'Für Anlagen bis 100 Kilowatt gilt eine Frist von 4 Wochen.',
    'Für Anlagen über 100 Kilowatt gilt eine Frist von 6 Wochen, für Anlagen bis 100 Kilowatt eine Frist von 4 Wochen.',
  ),
  cited(
    'enwg:3',
    'Die Bundesnetzagentur veröffentlicht die Werte zum 1. Februar.',
    'Die Bundesnetzagentur veröffentlicht die Werte jährlich zum 1. Februar.',
  ),
  cited(
    'steuer:1',
    'Die Steuer beträgt 20,5 EUR für eine MWh.',
    'Die Steuer beträgt 20,50 Euro für eine Megawattstunde.',
  ),
  cited('code:1', 'Owners of storage facilities must report within 30 days.', passageOf('code:1').text.split('. ')[1]!),
  cited('code:2', 'The annual fee is 12 EUR per meter.', 'The annual fee is 12 EUR per meter and 15 EUR per gateway.'),
  cited('code:2', 'It is due on March 1, 2026 at the latest.', 'It is due on 1 March 2026 at the latest.'),
  cited(
    'code:3',
    'A switch of supplier shall take no longer than 3 weeks.',
    'A switch of supplier shall take no longer than three weeks from the date of the request.',
  ),
  cited(
    'code:3',
    'By 2027 the technical process shall take 24 hours at most.',
    'By 2027 the technical process shall take at most 24 hours.',
  ),
];

export const TRUE_SENTENCES: readonly CitedSentence[] = [...EXTRACTED, ...WRITTEN];
