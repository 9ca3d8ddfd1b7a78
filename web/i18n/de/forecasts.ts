import type { forecastTexts as english } from '../en/forecasts.ts';

export const forecastTexts = {
  'forecasts.of': 'Prognose für',
  'forecasts.load': 'Verbrauch',
  'forecasts.generation': 'Erzeugung',
  'forecasts.price': 'Preis',
  'forecasts.peak_load': 'Der höchste Verbrauch kommt {when}: {value}, wahrscheinlich zwischen {low} und {high}',
  'forecasts.peak_generation': 'Am meisten wird {when} erzeugt: {value}, wahrscheinlich zwischen {low} und {high}',
  'forecasts.peak_price': 'Am Markt ist es {when} am günstigsten: {value}, wahrscheinlich zwischen {low} und {high}',
  'forecasts.chart': 'Der letzte Tag und was kommt',
  'forecasts.chart_label':
    '{series}: gemessen in den letzten 24 Stunden mit der Prognose dafür, und die Prognose für das, was kommt',
  'forecasts.truth': 'gemessen',
  'forecasts.truth_price': 'veröffentlicht',
  'forecasts.past': 'am Tag davor prognostiziert',
  'forecasts.median': 'Prognose',
  'forecasts.column_past': 'Am Tag davor prognostiziert',
  'forecasts.column_ahead': 'Prognose (wahrscheinlicher Bereich)',
  'forecasts.sure': 'Wie gut sie ist',
  'forecasts.better':
    'In den letzten {days} lag sie im Mittel um {mae} daneben: {percent} weniger als „wie letzte Woche“ ({naive}).',
  'forecasts.worse':
    'In den letzten {days} lag sie im Mittel um {mae} daneben: {percent} mehr als „wie letzte Woche“ ({naive}).',
  'forecasts.same':
    'In den letzten {days} lag sie im Mittel um {mae} daneben, so viel wie „wie letzte Woche“ ({naive}).',
  'forecasts.alone':
    'In den letzten {days} lag sie im Mittel um {mae} daneben. Eine frühere Woche zum Vergleich gibt es noch nicht.',
  'forecasts.error_none': 'Das wird gemessen, sobald ihr erster Tag vorbei ist.',
  'forecasts.bar_model': 'diese Prognose',
  'forecasts.bar_naive': 'wie letzte Woche',
  'forecasts.model': 'Modell',
  'forecasts.made': 'Erstellt',
  'forecasts.inputs': 'Kannte Daten bis',
  'forecasts.reaches': 'Reicht bis',
  'forecasts.stale': 'Diese Prognose ist {age} alt; eine neuere konnte nicht erstellt werden. {reason}',
  'forecasts.empty_title': 'Noch keine Prognose',
  'forecasts.empty_history':
    'Eine Prognose für {series} braucht Messwerte von etwa {need} Tagen; bisher sind es {has}. Sie erscheint von selbst.',
  'forecasts.empty_price': 'Eine Preisprognose braucht Marktpreise von etwa {need} Tagen. Sie erscheint von selbst.',
  'forecasts.empty_generation': 'Es gibt keinen Erzeugungszähler. Mit einem erscheint seine Prognose hier.',
  'forecasts.empty_soon': 'Daten sind genug da; die erste Prognose entsteht in der nächsten Viertelstunde.',
  'forecasts.empty_import': 'Frühere Messwerte importieren',
  'forecasts.series_load': 'den Verbrauch',
  'forecasts.series_generation': 'die Erzeugung',
} as const satisfies Record<keyof typeof english, string>;
