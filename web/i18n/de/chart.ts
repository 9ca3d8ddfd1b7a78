import type { chartTexts as english } from '../en/chart.ts';

export const chartTexts = {
  'chart.table': 'Die Werte als Tabelle',
  'chart.csv': 'CSV',
  'chart.hint': 'Auf das Diagramm zeigen oder Pfeiltasten benutzen, um Werte abzulesen.',
  'chart.time': 'Zeit',
  'chart.now': 'jetzt',
  'chart.empty': 'Keine Werte in diesem Zeitraum.',
  'chart.measured': 'gemessen',
  'chart.forecast': 'Prognose',
  'chart.band_80': 'wahrscheinlich, 8 von 10 Werten',
  'chart.band_50': 'die Hälfte der Werte',
  'chart.load': 'Verbrauch',
  'chart.generation': 'Erzeugung',
  'chart.price': 'Preis',
} as const satisfies Record<keyof typeof english, string>;
