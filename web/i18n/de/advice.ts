import type { adviceTexts as english } from '../en/advice.ts';

/** Empfehlungen und Meldungen. */
export const adviceTexts = {
  'advice.title': 'Empfehlungen',
  'advice.now': 'Was sich jetzt lohnt',
  'advice.none_title': 'Im Moment ist nichts zu tun',
  'advice.none':
    'Empfehlungen erscheinen hier, wenn es etwas zu gewinnen gibt. Sie kommen aus Preisen, Prognosen und dem Zustand Ihrer Zähler und werden mit Ihren Antworten besser.',
  'advice.saves': 'Spart etwa',
  'advice.without_saving': 'Keine Ersparnis in Geld',
  'advice.chosen': 'Gewählt mit einer Wahrscheinlichkeit von {percent}. Ihre Antworten ändern, was zuerst kommt.',
  'advice.earlier': 'Was aus früheren wurde',
  'advice.earlier_none': 'Hier werden Ihre Antworten stehen.',
  'advice.accepted': 'angenommen',
  'advice.dismissed': 'abgelehnt',
  'advice.snoozed': 'verschoben',
  'advice.open': 'keine Antwort',
  'advice.share': '{accepted} von {answered} beantworteten angenommen',
  'alerts.title': 'Meldungen',
  'alerts.open': 'Offen',
  'alerts.none_title': 'Alles in Ordnung',
  'alerts.none': 'Nichts braucht Aufmerksamkeit. Was ausfällt, erscheint hier und auf der Seite, zu der es gehört.',
  'alerts.closed': 'Vorbei',
  'alerts.show_closed': '{n} frühere {n|Meldung|Meldungen} zeigen',
  'alerts.closed_none': 'Nichts in den letzten Wochen.',
  'alerts.lasted': '{from} bis {to}',
  'alerts.look': 'Ansehen',
  'alert.meter_silent': 'Der Zähler {name} schweigt seit {time}.',
  'alert.meter_stuck': 'Der Wert von {name} steht seit {time}, obwohl er sich bewegen müsste.',
  'alert.device_unreachable': 'Das Gerät {name} antwortet seit {time} nicht.',
  'alert.prices_stale': 'Keine neuen Preise für {name} seit {time}. Die zuletzt bekannten gelten weiter.',
  'alert.journal_quarantine':
    'Ein beschädigter Teil des Journals wurde beiseitegelegt: {name}. Alles andere ist unversehrt.',
  'alert.journal_full':
    'Das Journal ist seit {time} voll: Neue Messwerte werden abgewiesen, damit die Zähler sie behalten. Der Zeitreihenspeicher muss sie annehmen.',
  'alert.series_store_down':
    'Der Zeitreihenspeicher nimmt seit {time} keine Messwerte an. Sie bleiben im Journal; nichts geht verloren.',
  'alert.register_reset':
    'Das Zählwerk von {name} wurde um {time} zurückgesetzt. Der Sprung bleibt aus den Summen heraus.',
  'alert.quality_fault': 'Die Daten von {name} sind fehlerhaft ({time}).',
  'alert.document_refused': 'Das Dokument {name} konnte nicht gelesen werden.',
} as const satisfies Record<keyof typeof english, string>;
