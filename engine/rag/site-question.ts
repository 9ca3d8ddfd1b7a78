/** Questions about this site's own figures ("How high was our price yesterday?"), told from those about regulation. */

export type SiteSubject = 'price' | 'load' | 'generation' | 'cost' | 'forecast' | 'plan' | 'tariff' | 'limits';
export type SitePeriod =
  | { kind: 'day'; offset: number }
  | { kind: 'week'; offset: number }
  | { kind: 'month'; offset: number }
  | { kind: 'date'; date: string };
export type SiteQuestion = { subject: SiteSubject; period: SitePeriod };

/** Of these a time says nothing: they hold now. */
const STANDING: readonly (readonly [SiteSubject, RegExp])[] = [
  ['tariff', /(?<!\p{L})(?:electricity tariff|our tariff|tariff|stromtarif|tarif)(?!\p{L})/iu],
  [
    'limits',
    /(?<!\p{L})(?:connection limits?|grid limits?|import limits?|export limits?|limits? of (?:the|our) (?:grid )?connection|anschlussleistung|netzanschlussgrenzen?|bezugsgrenzen?|einspeisegrenzen?|grenzen? (?:des|unseres) netzanschlusses)(?!\p{L})/iu,
  ],
];
const OWN =
  /(?<!\p{L})(?:our|ours|we|my|this site|this building|unser(?:e[nmrs]?)?|wir|uns|mein(?:e[nmrs]?)?|am standort|dieses gebäude)(?!\p{L})/iu;
const SUBJECTS: readonly (readonly [SiteSubject, RegExp])[] = [
  ['forecast', /(?<!\p{L})(?:forecasts?|predicted|prognosen?|vorhersagen?|erwartete[rnms]?)(?!\p{L})/iu],
  [
    'plan',
    /(?<!\p{L})(?:battery plan|dispatch plan|our plan|the plan|unser plan|speicherplan|fahrplan|batterieplan|der plan)(?!\p{L})/iu,
  ],
  ['cost', /(?<!\p{L})(?:costs?|spent|spend|stromkosten|energiekosten|kosten|gekostet|kostete)(?!\p{L})/iu],
  ['price', /(?<!\p{L})(?:prices?|strompreis(?:e|es)?|börsenpreise?|preise?s?)(?!\p{L})/iu],
  ['generation', /(?<!\p{L})(?:generation|generated?|solar yield|pv|solaranlage|erzeugt|erzeugung|ertrag)(?!\p{L})/iu],
  [
    'load',
    /(?<!\p{L})(?:consumption|consumed?|load|used|verbrauch|verbraucht|verbrauchten|last|lastspitze|peak)(?!\p{L})/iu,
  ],
];
const PERIODS: readonly (readonly [RegExp, SitePeriod])[] = [
  [/(?<!\p{L})(?:the )?day before yesterday|(?<!\p{L})vorgestern/iu, { kind: 'day', offset: -2 }],
  [/(?<!\p{L})yesterday|(?<!\p{L})gestern|(?<!\p{L})gestrige/iu, { kind: 'day', offset: -1 }],
  [/(?<!\p{L})tomorrow|(?<!\p{L})morgen(?!\p{L})/iu, { kind: 'day', offset: 1 }],
  [/(?<!\p{L})today|(?<!\p{L})heute(?!\p{L})|(?<!\p{L})heutige/iu, { kind: 'day', offset: 0 }],
  [/(?<!\p{L})last week|(?<!\p{L})(?:letzte|vorige|vergangene)[rn]? woche/iu, { kind: 'week', offset: -1 }],
  [/(?<!\p{L})this week|(?<!\p{L})diese[r]? woche/iu, { kind: 'week', offset: 0 }],
  [/(?<!\p{L})last month|(?<!\p{L})(?:letzte[nm]?|vorige[nm]?|vergangene[nm]?) monat/iu, { kind: 'month', offset: -1 }],
  [/(?<!\p{L})this month|(?<!\p{L})diese[nm] monat/iu, { kind: 'month', offset: 0 }],
];
/** Words that make a question one about this site even where the time alone does not. */
const OURS =
  /(?<!\p{L})(?:our|ours|we|my|this site|this building|here|unser(?:e[nmrs]?)?|wir|uns|mein(?:e[nmrs]?)?|am standort|dieses gebäude|hier)(?!\p{L})|(?:strompreis|price)/iu;
/** `EnWG`, `StromStG`; its capitals tell it from `Erzeugung`. */
const LAW_NAME = /(?<!\p{L})\p{Lu}\p{L}*\p{Lu}\p{Ll}*G(?!\p{L})/u;
const LAW =
  /§|\b(?:article|artikel|section|absatz|gesetz\p{L}*|verordnung\p{L}*|law|regulation|directive|act)\b|fassung|pflicht|muss|müssen|darf|dürfen|must|shall|anspruch/iu;

/** Null where it is none, or might be one about regulation. */
export function readSiteQuestion(text: string): SiteQuestion | null {
  if (LAW.test(text) || LAW_NAME.test(text)) return null;
  const standing = OWN.test(text) ? STANDING.find(([, pattern]) => pattern.test(text))?.[0] : undefined;
  if (standing) return { subject: standing, period: { kind: 'day', offset: 0 } };
  const subject = SUBJECTS.find(([, pattern]) => pattern.test(text))?.[0];
  const date = /(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)/.exec(text)?.[1];
  const period: SitePeriod | undefined = date
    ? { kind: 'date', date }
    : PERIODS.find(([pattern]) => pattern.test(text))?.[1];
  if (!subject) return null;
  if (!period) return subject === 'plan' && OURS.test(text) ? { subject, period: { kind: 'day', offset: 0 } } : null;
  const isPast = 'offset' in period && period.offset < 0;
  return isPast || OURS.test(text) || subject === 'forecast' ? { subject, period } : null;
}
