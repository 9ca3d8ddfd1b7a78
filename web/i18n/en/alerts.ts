/** Alerts: each kind says what happened (`alert`), in short (`alert_kind`), and what to do (`alert_todo`). */
export const alertTexts = {
  'alerts.title': 'Alerts',
  'alerts.open': 'Open',
  'alerts.none_title': 'All is well',
  'alerts.none': 'Nothing needs attention. What fails shows up here and on the page it belongs to.',
  'alerts.closed': 'Over',
  'alerts.show_closed': 'Show {n} earlier {n|alert|alerts}',
  'alerts.closed_none': 'Nothing in the last weeks.',
  'alerts.lasted': '{from} to {to}',
  'alerts.look': 'Look',
  'alert.meter_silent': 'The meter {name} has been silent since {time}.',
  'alert.meter_stuck': 'The value of {name} has not moved since {time}, although it should.',
  'alert.device_unreachable': 'The device {name} does not answer since {time}.',
  'alert.prices_stale': 'No new prices for {name} since {time}. The last known ones stay in use.',
  'alert.journal_quarantine': 'A damaged part of the journal was set aside: {name}. Everything else is intact.',
  'alert.journal_full':
    'The journal is full since {time}: new readings are refused, so that the meters keep them. The series store has to take them.',
  'alert.series_store_down':
    'The series store does not take readings since {time}. They are kept in the journal; nothing is lost.',
  'alert.series_table_suspended':
    'QuestDB no longer applies what its table {name} is sent, since {time}. Readings are kept in the journal; nothing is lost.',
  'alert.register_reset': 'The register of {name} was reset at {time}. The drop is left out of sums.',
  'alert.quality_fault': 'The data of {name} have faults ({time}).',
  'alert.document_refused': 'The document {name} could not be read.',
  'alerts.acknowledged': 'Acknowledged',
  'alerts.acknowledge': 'Acknowledge',
  'alerts.acknowledge_of': 'Acknowledge: {text}',
  'alerts.acknowledged_by': 'Acknowledged by {who}, {when}',
  'alerts.details': 'Details',
  'alerts.since': 'Since',
  'alerts.until': 'Over since',
  'alerts.to_do': 'What to do',
  'alerts.about': 'About',
  'alerts.severity': 'Severity',
  'alerts.severity_info': 'note',
  'alerts.severity_warning': 'warning',
  'alerts.severity_fault': 'fault',
  'alerts.state': 'State',
  'alerts.state_open': 'open',
  'alerts.state_solved': 'solved',
  'alerts.state_acknowledged': 'acknowledged',
  'alerts.told': 'Who was told',
  'alerts.told_none':
    'Nobody outside of these pages. People are told once an admin has set up a channel under Admin, Notifications.',
  'alerts.told_waiting': 'Waiting; next try {when}',
  'alerts.told_sent': 'Delivered {when}',
  'alerts.told_given_up': 'Given up',
  'alerts.told_tries': '{n} {n|try|tries}',
  'alerts.what_opened': 'began',
  'alerts.what_escalated': 'escalated',
  'alerts.what_repeated': 'repeated',
  'alerts.what_acknowledged': 'acknowledged',
  'alerts.what_solved': 'solved',
  'alerts.back': 'All alerts',
  'alerts.set_up': 'Set up notifications',
  'alerts.nobody': 'These alerts reach nobody outside of these pages: no channel is set up.',
  'alerts.open_on_now': '{n} open {n|alert|alerts}',
  'alert.disk_low': 'Space on the disk of the box runs short ({free} free, {time}).',
  'alert.disk_full': 'The disk of the box is full since {time} ({free} free).',
  'alert.clock_wrong': 'The clock of the box cannot be trusted since {time}.',
  'alert.backup_failed': 'No backup can be made or continued (since {time}): {problem}',
  'alert.backup_stale': 'The newest backup is too old (since {time}).',
  'alert.forecast_drift':
    '{name}: what is measured is no longer of the kind that its forecast learned from (since {time}).',
  'alert.forecast_error': '{name}: the forecast misses more than usual for {hours} h, and no other model does better.',
  'alert.model_rolled_back': '{name}: the forecast had become worse; the model before it is live again (since {time}).',
  'alert.audit_broken': 'The audit log was changed from outside: {problem} (noticed {time}).',
  'alert.channel_failing': 'Messages over the channel {name} do not arrive since {time}.',
  'alert.other': 'Something needs attention since {time}: {name}.',
  'alert_kind.meter_silent': 'meter silent',
  'alert_kind.meter_stuck': 'value stands still',
  'alert_kind.device_unreachable': 'device does not answer',
  'alert_kind.prices_stale': 'no new prices',
  'alert_kind.journal_quarantine': 'journal damaged',
  'alert_kind.journal_full': 'journal full',
  'alert_kind.series_store_down': 'series store down',
  'alert_kind.series_table_suspended': 'table of the series store stands still',
  'alert_kind.register_reset': 'register reset',
  'alert_kind.quality_fault': 'faulty data',
  'alert_kind.document_refused': 'document not readable',
  'alert_kind.disk_low': 'disk space short',
  'alert_kind.disk_full': 'disk full',
  'alert_kind.clock_wrong': 'clock wrong',
  'alert_kind.backup_failed': 'backup failed',
  'alert_kind.backup_stale': 'backup too old',
  'alert_kind.forecast_drift': 'other data than learned',
  'alert_kind.forecast_error': 'forecast off its band',
  'alert_kind.model_rolled_back': 'forecast rolled back',
  'alert_kind.audit_broken': 'audit log changed',
  'alert_kind.channel_failing': 'messages do not arrive',
  'alert_kind.other': 'other',
  'alert_todo.meter_silent':
    'Check that the meter has power and reaches the network, then its connection in the settings of the device. What it buffered is added when it comes back.',
  'alert_todo.meter_stuck':
    'Look at the display of the meter. If it moves there, check the channel and register of the device; if not, the meter is broken.',
  'alert_todo.device_unreachable':
    'Check power, cable and address of the device, and whether something else holds its only connection.',
  'alert_todo.prices_stale':
    'Check the way of the box to the internet; the Prices page says what each source answered. A CSV file of prices can be loaded by hand.',
  'alert_todo.journal_quarantine':
    'Keep the named file and have the disk checked. Readings in that part may be missing; meters that buffer can send them again.',
  'alert_todo.journal_full':
    'Bring the series store back (Admin, Health says what is wrong), or give the journal more room in the configuration.',
  'alert_todo.series_store_down':
    'Look under Admin, Health at what the store says. The journal is taken over by itself when it is back.',
  'alert_todo.series_table_suspended':
    'Look into the log of QuestDB and at its disk: a full one is the usual reason. The box tries to go on by itself; by hand: ALTER TABLE {name} RESUME WAL. If a transaction has to be skipped, the journal brings its readings again.',
  'alert_todo.register_reset':
    'If the meter was exchanged or reset, nothing is to do. Otherwise look at the values of that moment and repair them.',
  'alert_todo.quality_fault': 'Open the meter: the quality report names each check that failed.',
  'alert_todo.document_refused': 'Open Documents: the reason stands beside the file. Upload a version with text in it.',
  'alert_todo.disk_low':
    'Make room: shorten the retention of raw readings, move backups elsewhere, or enlarge the disk before it is full.',
  'alert_todo.disk_full':
    'Make room at once. Until then new readings may be refused, so that the meters keep them; it recovers by itself.',
  'alert_todo.clock_wrong':
    'Give the box a time server (NTP) or set its clock. Readings without a time of their own are set aside until then.',
  'alert_todo.backup_failed':
    'Look at the backup folder: is its disk there, and is there room? Then make a backup under Admin, Backups.',
  'alert_todo.forecast_drift': 'If use has changed for good, let the models be trained anew on the Forecasts page.',
  'alert_todo.forecast_error': 'Look whether something unusual runs; otherwise let the models be trained anew.',
  'alert_todo.model_rolled_back': 'Nothing has to be done; the Forecasts page shows what happened.',
  'alert_todo.audit_broken':
    'Keep the box as it is, look at Admin, Audit log, and compare it with an export or a backup. Somebody with access to the database changed it.',
  'alert_todo.backup_stale': 'Make a backup under Admin, Backups, and look there why none was made.',
  'alert_todo.channel_failing':
    'Open Admin, Notifications: the last fault stands beside the channel. Mend it and send a test message; what waits is delivered then.',
  'alert_todo.other': 'Open the Alerts page of the box.',
  'alert.register_jump':
    'The register of {name} jumped by {jump} at {time}, more than it can have counted. The jump is left out of sums.',
  'alert.unit_changed':
    'The register of {name} counts in another unit since {time}: {from} became {to}. What it says since then is left out of sums.',
  'alert.meters_mixed':
    'Two meters send under the name of {name} since {time}. Where their values mix, they are left out of sums.',
  'alert.meter_gap': 'The meter {name} was silent for {hours} hours from {time}. Usual then is {usual} an hour.',
  'alert.meter_standstill':
    'The meter {name} has shown the same each hour since {time}: {value}. Usual then is {usual} an hour.',
  'alert.night_load': 'At night {name} takes {value} an hour since {time}. Usual is {usual}.',
  'alert_kind.register_jump': 'register jumped',
  'alert_kind.unit_changed': 'unit changed',
  'alert_kind.meters_mixed': 'two meters mixed',
  'alert_kind.meter_gap': 'gap in the data',
  'alert_kind.meter_standstill': 'meter stands still',
  'alert_kind.night_load': 'high load at night',
  'alert_todo.register_jump':
    'If the meter was exchanged, nothing is to do. If the energy was truly used, repair the values of that moment.',
  'alert_todo.unit_changed':
    'Set the unit of the device right, in its own settings or in its profile. Once it counts as before, sums go on by themselves.',
  'alert_todo.meters_mixed':
    'Give each meter a topic or name of its own, then look at the values of that time and repair them.',
  'alert_todo.meter_gap':
    'A register knows the sum over the gap; its course is lost unless the meter can send it again. Look at power and network at that time.',
  'alert_todo.meter_standstill':
    'Look at the display of the meter. If it moves there, check the connection and the register that is read; if not, the meter is broken.',
  'alert_todo.night_load':
    'See what runs at night that did not before: ventilation, lighting, a compressor, a leak. If it is meant to run, it counts as usual after a week.',
} as const;
