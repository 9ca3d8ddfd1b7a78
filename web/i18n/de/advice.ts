import type { adviceTexts as english } from '../en/advice.ts';

/** Empfehlungen. */
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
} as const satisfies Record<keyof typeof english, string>;
