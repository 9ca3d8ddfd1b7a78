/** The series store that is away, and the books of readings. */
export const storeTexts = {
  'store.away':
    'The store of readings is away since {since}. Nothing is lost: {count} {n|reading waits|readings wait} and will be added when it is back. Live values go on.',
  'store.away_some':
    'The store of readings is away since {since}. Nothing is lost: what comes in waits and will be added when it is back. Live values go on.',
  'store.catching_up_some': 'The store of readings is taking over what waited. Charts and costs of that time follow.',
  'health.of_others':
    'Several organisations share this box. Its numbers are those of all of them, so only admins of the organisation that the box belongs to see them.',
  'store.full_in': 'At the present rate there is room for about {hours} more {n|hour|hours}.',
  'store.full_soon': 'At the present rate there is room for less than an hour.',
  'store.catching_up':
    'The store of readings is taking over what waited: {count} {n|reading is|readings are} still to be added. Charts and costs of that time follow.',
  'health.part_readings': 'Books of readings',
  'health.books': 'Readings: what came in and what became of it',
  'health.books_source': 'Source',
  'health.books_received': 'Received',
  'health.books_stored': 'Stored',
  'health.books_duplicate': 'Known already',
  'health.books_rejected': 'Rejected',
  'health.books_dead': 'Put aside',
  'health.books_waiting': 'Waiting',
  'health.books_total': 'All',
  'health.books_even': 'Received is the sum of the others, since this box was set up.',
  'health.books_missing':
    '{count} acknowledged {n|reading is|readings are} missing: a disk or the series store has lost them.',
  'health.books_begin': 'The counting begins when the series store has taken what the journal holds.',
  'health.books_none': 'No readings came in yet.',
  'alert.dead_letters': 'The series store refuses {name} readings ({time}). They were put aside; nothing is lost.',
  'alert_kind.dead_letters': 'readings put aside',
  'alert_todo.dead_letters':
    'On the box, ./luna dead-letters list says why; ./luna dead-letters retry takes them in again after an update or a repair.',
} as const;
