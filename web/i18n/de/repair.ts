import type { repairTexts as english } from '../en/repair.ts';

/** Messwerte reparieren. */
export const repairTexts = {
  'repair.title': 'Messwerte von {name} reparieren',
  'repair.link': 'Messwerte reparieren',
  'repair.lead':
    'Wählen Sie Messwerte, setzen Sie dann einen Wert oder kennzeichnen Sie sie als fehlend. Das Original bleibt; kein Import überschreibt eine Reparatur; Zeitscheiben, Summen und Kosten folgen sofort.',
  'repair.day': 'Tag',
  'repair.show': 'Anzeigen',
  'repair.marked_only': 'Markierte zuerst; {n} Messwerte an diesem Tag.',
  'repair.none': 'Keine Messwerte an diesem Tag.',
  'repair.cut': 'Nur die ersten {n} werden gezeigt.',
  'repair.time': 'Zeit',
  'repair.value': 'Wert',
  'repair.mark': 'Kennzeichen',
  'repair.choose': '{time} wählen',
  'repair.new_value': 'Neuer Wert in {unit}',
  'repair.reason': 'Grund',
  'repair.reason_hint': 'Steht im Protokoll, z. B. „Zähler getauscht, Wert vom Installateur“.',
  'repair.set': 'Wert setzen',
  'repair.missing': 'Als fehlend kennzeichnen',
  'repair.lift': 'Reparatur aufheben',
  'repair.done': '{n} {n|Messwert|Messwerte} repariert.',
  'repair.fault_none': 'Wählen Sie mindestens einen Messwert.',
  'repair.fault_value': 'Geben Sie den neuen Wert als Zahl an.',
  'repair.fault_reason': 'Geben Sie einen Grund an; er wird im Protokoll festgehalten.',
} as const satisfies Record<keyof typeof english, string>;
