import type { storeTexts as en } from '../en/store.ts';

export const storeTexts: Record<keyof typeof en, string> = {
  'store.away':
    'Der Zeitreihenspeicher ist seit {since} nicht da. Nichts geht verloren: {count} {n|Messwert wartet|Messwerte warten} und {n|wird|werden} nachgetragen, sobald er zurück ist. Live-Werte laufen weiter.',
  'store.away_some':
    'Der Zeitreihenspeicher ist seit {since} nicht da. Nichts geht verloren: Was kommt, wartet und wird nachgetragen, sobald er wieder da ist. Die aktuellen Werte laufen weiter.',
  'store.catching_up_some':
    'Der Zeitreihenspeicher übernimmt, was gewartet hat. Verläufe und Kosten dieser Zeit folgen.',
  'health.of_others':
    'Mehrere Organisationen teilen sich diese Box. Ihre Zahlen sind die von allen; darum sehen sie nur Administratoren der Organisation, der die Box gehört.',
  'store.full_in': 'Bei der jetzigen Menge reicht der Platz noch etwa {hours} {n|Stunde|Stunden}.',
  'store.full_soon': 'Bei der jetzigen Menge reicht der Platz keine Stunde mehr.',
  'store.catching_up':
    'Der Zeitreihenspeicher holt nach, was gewartet hat: Noch {count} {n|Messwert ist|Messwerte sind} nachzutragen. Diagramme und Kosten dieser Zeit folgen.',
  'health.part_readings': 'Bilanz der Messwerte',
  'health.books': 'Messwerte: was ankam und was daraus wurde',
  'health.books_source': 'Quelle',
  'health.books_received': 'Empfangen',
  'health.books_stored': 'Gespeichert',
  'health.books_duplicate': 'Schon bekannt',
  'health.books_rejected': 'Abgewiesen',
  'health.books_dead': 'Beiseitegelegt',
  'health.books_waiting': 'Wartend',
  'health.books_total': 'Alle',
  'health.books_even': 'Empfangen ist die Summe der anderen, seit diese Box eingerichtet wurde.',
  'health.books_missing':
    '{count} {n|bestätigter Messwert fehlt|bestätigte Messwerte fehlen}: Eine Platte oder der Zeitreihenspeicher hat {n|ihn|sie} verloren.',
  'health.books_begin': 'Die Zählung beginnt, wenn der Zeitreihenspeicher übernommen hat, was im Journal steht.',
  'health.books_none': 'Es kamen noch keine Messwerte an.',
  'alert.dead_letters':
    'Der Zeitreihenspeicher weist {name} Messwerte ab ({time}). Sie wurden beiseitegelegt; nichts ist verloren.',
  'alert_kind.dead_letters': 'Messwerte beiseitegelegt',
  'alert_todo.dead_letters':
    'Auf der Box sagt ./luna dead-letters list, warum; ./luna dead-letters retry nimmt sie nach einem Update oder einer Reparatur wieder auf.',
};
