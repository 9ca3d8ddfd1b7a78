import type { alertTexts as english } from '../en/alerts.ts';

/** Meldungen. */
export const alertTexts = {
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
  'alert.series_table_suspended':
    'QuestDB übernimmt seit {time} nicht mehr, was seine Tabelle {name} bekommt. Messwerte bleiben im Journal; nichts geht verloren.',
  'alert.register_reset':
    'Das Zählwerk von {name} wurde um {time} zurückgesetzt. Der Sprung bleibt aus den Summen heraus.',
  'alert.quality_fault': 'Die Daten von {name} sind fehlerhaft ({time}).',
  'alert.answers_worse':
    'Die Antworten zur Regulierung sind schlechter geworden ({name}). {figure}: zuvor {before_percent} %, jetzt {now_percent} %.',
  'alert.retrieval_worse':
    'In der Prüfung {name} findet die Suche in den Dokumenten weniger als zuvor: {before_percent} % der Fragen, jetzt {now_percent} %.',
  'alert.document_refused': 'Das Dokument {name} konnte nicht gelesen werden.',
  'alerts.acknowledged': 'Bestätigt',
  'alerts.acknowledge': 'Bestätigen',
  'alerts.acknowledge_of': 'Bestätigen: {text}',
  'alerts.acknowledged_by': 'Bestätigt von {who}, {when}',
  'alerts.details': 'Einzelheiten',
  'alerts.since': 'Seit',
  'alerts.until': 'Vorbei seit',
  'alerts.to_do': 'Was zu tun ist',
  'alerts.about': 'Betrifft',
  'alerts.severity': 'Schwere',
  'alerts.severity_info': 'Hinweis',
  'alerts.severity_warning': 'Warnung',
  'alerts.severity_fault': 'Störung',
  'alerts.state': 'Zustand',
  'alerts.state_open': 'offen',
  'alerts.state_solved': 'behoben',
  'alerts.state_acknowledged': 'bestätigt',
  'alerts.told': 'Wer benachrichtigt wurde',
  'alerts.told_none':
    'Niemand außerhalb dieser Seiten. Benachrichtigt wird, sobald ein Admin unter Verwaltung, Benachrichtigungen einen Kanal eingerichtet hat.',
  'alerts.told_waiting': 'Wartet; nächster Versuch {when}',
  'alerts.told_sent': 'Zugestellt {when}',
  'alerts.told_given_up': 'Aufgegeben',
  'alerts.told_tries': '{n} {n|Versuch|Versuche}',
  'alerts.what_opened': 'begonnen',
  'alerts.what_escalated': 'weitergegeben',
  'alerts.what_repeated': 'wiederholt',
  'alerts.what_acknowledged': 'bestätigt',
  'alerts.what_solved': 'behoben',
  'alerts.back': 'Alle Meldungen',
  'alerts.set_up': 'Benachrichtigungen einrichten',
  'alerts.nobody': 'Diese Meldungen erreichen niemanden außerhalb dieser Seiten: Es ist kein Kanal eingerichtet.',
  'alerts.open_on_now': '{n} offene {n|Meldung|Meldungen}',
  'alert.disk_low': 'Der Platz auf der Platte der Box wird knapp ({free} frei, {time}).',
  'alert.disk_full': 'Die Platte der Box ist seit {time} voll ({free} frei).',
  'alert.clock_wrong': 'Der Uhr der Box ist seit {time} nicht zu trauen.',
  'alert.backup_failed': 'Es kann keine Sicherung gemacht oder fortgesetzt werden (seit {time}): {problem}',
  'alert.backup_stale': 'Die neueste Sicherung ist zu alt (seit {time}).',
  'alert.forecast_drift':
    '{name}: Was gemessen wird, gleicht nicht mehr dem, woraus die Prognose gelernt hat (seit {time}).',
  'alert.forecast_error':
    '{name}: Die Prognose liegt seit {hours} h mehr daneben als sonst, und kein anderes Modell ist besser.',
  'alert.model_rolled_back':
    '{name}: Die Prognose war schlechter geworden; das Modell davor gilt wieder (seit {time}).',
  'alert.audit_broken': 'Das Protokoll wurde von außen verändert: {problem} (bemerkt {time}).',
  'alert.channel_failing': 'Nachrichten über den Kanal {name} kommen seit {time} nicht an.',
  'alert.other': 'Seit {time} braucht etwas Aufmerksamkeit: {name}.',
  'alert_kind.meter_silent': 'Zähler schweigt',
  'alert_kind.meter_stuck': 'Wert steht',
  'alert_kind.device_unreachable': 'Gerät antwortet nicht',
  'alert_kind.prices_stale': 'keine neuen Preise',
  'alert_kind.journal_quarantine': 'Journal beschädigt',
  'alert_kind.journal_full': 'Journal voll',
  'alert_kind.series_store_down': 'Zeitreihenspeicher ausgefallen',
  'alert_kind.series_table_suspended': 'Tabelle des Zeitreihenspeichers steht still',
  'alert_kind.register_reset': 'Zählwerk zurückgesetzt',
  'alert_kind.quality_fault': 'fehlerhafte Daten',
  'alert_kind.answers_worse': 'Antworten zur Regulierung schlechter',
  'alert_kind.retrieval_worse': 'Suche in Dokumenten schlechter',
  'alert_kind.document_refused': 'Dokument nicht lesbar',
  'alert_kind.disk_low': 'Platte fast voll',
  'alert_kind.disk_full': 'Platte voll',
  'alert_kind.clock_wrong': 'Uhr falsch',
  'alert_kind.backup_failed': 'Sicherung fehlgeschlagen',
  'alert_kind.backup_stale': 'Sicherung zu alt',
  'alert_kind.forecast_drift': 'andere Daten als gelernt',
  'alert_kind.forecast_error': 'Prognose außerhalb ihres Bandes',
  'alert_kind.model_rolled_back': 'Prognose zurückgenommen',
  'alert_kind.audit_broken': 'Protokoll verändert',
  'alert_kind.channel_failing': 'Nachrichten kommen nicht an',
  'alert_kind.other': 'Sonstiges',
  'alert_todo.meter_silent':
    'Prüfen Sie, ob der Zähler Strom hat und das Netz erreicht, dann seine Verbindung in den Einstellungen des Geräts. Was er gepuffert hat, kommt nach.',
  'alert_todo.meter_stuck':
    'Schauen Sie auf die Anzeige des Zählers. Bewegt sie sich, prüfen Sie Kanal und Register des Geräts; wenn nicht, ist der Zähler defekt.',
  'alert_todo.device_unreachable':
    'Prüfen Sie Strom, Kabel und Adresse des Geräts, und ob etwas anderes seine einzige Verbindung belegt.',
  'alert_todo.prices_stale':
    'Prüfen Sie den Weg der Box ins Internet; die Seite Preise sagt, was jede Quelle geantwortet hat. Preise lassen sich auch als CSV-Datei laden.',
  'alert_todo.journal_quarantine':
    'Heben Sie die genannte Datei auf und lassen Sie die Platte prüfen. Messwerte dieses Teils können fehlen; Zähler mit Puffer können sie noch einmal senden.',
  'alert_todo.journal_full':
    'Bringen Sie den Zeitreihenspeicher zurück (Verwaltung, Zustand sagt, was fehlt), oder geben Sie dem Journal in der Konfiguration mehr Platz.',
  'alert_todo.series_store_down':
    'Schauen Sie unter Verwaltung, Zustand, was der Speicher meldet. Ist er zurück, wird das Journal von selbst übernommen.',
  'alert_todo.series_table_suspended':
    'Sehen Sie in das Protokoll von QuestDB und auf seine Platte: Meist ist sie voll. Die Box versucht es von selbst weiter; von Hand: ALTER TABLE {name} RESUME WAL. Muss eine Transaktion übersprungen werden, bringt das Journal ihre Messwerte noch einmal.',
  'alert_todo.register_reset':
    'Wurde der Zähler getauscht oder zurückgesetzt, ist nichts zu tun. Sonst sehen Sie sich die Werte dieses Augenblicks an und berichtigen sie.',
  'alert_todo.quality_fault':
    'Öffnen Sie den Zähler: Der Qualitätsbericht nennt jede Prüfung, die nicht bestanden ist.',
  'alert_todo.answers_worse':
    'Wurde das Sprachmodell gewechselt, ein Dokument ersetzt oder entfernt? Die Reihe der Messungen sagt, seit wann.',
  'alert_todo.retrieval_worse':
    'Wurde ein Dokument entfernt, das Modell gewechselt oder das Glossar geändert? Die Reihe der Prüfungen sagt, seit wann.',
  'alert_todo.document_refused':
    'Öffnen Sie Dokumente: Der Grund steht neben der Datei. Laden Sie eine Fassung mit Text hoch.',
  'alert_todo.disk_low':
    'Schaffen Sie Platz: Rohwerte kürzer aufbewahren, Sicherungen verlegen oder die Platte vergrößern, bevor sie voll ist.',
  'alert_todo.disk_full':
    'Schaffen Sie sofort Platz. Bis dahin können neue Messwerte abgewiesen werden, damit die Zähler sie behalten; danach geht es von selbst weiter.',
  'alert_todo.clock_wrong':
    'Geben Sie der Box einen Zeitserver (NTP) oder stellen Sie ihre Uhr. Messwerte ohne eigene Zeit werden bis dahin zurückgelegt.',
  'alert_todo.backup_failed':
    'Sehen Sie nach dem Sicherungsordner: Ist seine Platte da und genug Platz? Dann unter Verwaltung, Sicherungen eine Sicherung machen.',
  'alert_todo.forecast_drift':
    'Hat sich die Nutzung auf Dauer geändert, die Modelle auf der Seite Prognosen neu lernen lassen.',
  'alert_todo.forecast_error': 'Nachsehen, ob etwas Ungewöhnliches läuft; sonst die Modelle neu lernen lassen.',
  'alert_todo.model_rolled_back': 'Es ist nichts zu tun; die Seite Prognosen zeigt, was geschah.',
  'alert_todo.audit_broken':
    'Lassen Sie die Box, wie sie ist, sehen Sie unter Verwaltung, Protokoll nach und vergleichen Sie mit einem Export oder einer Sicherung. Jemand mit Zugang zur Datenbank hat es verändert.',
  'alert_todo.backup_stale':
    'Machen Sie unter Verwaltung, Sicherungen eine Sicherung, und sehen Sie dort nach, warum keine gemacht wurde.',
  'alert_todo.channel_failing':
    'Öffnen Sie Verwaltung, Benachrichtigungen: Der letzte Fehler steht neben dem Kanal. Beheben Sie ihn und senden Sie eine Testnachricht; was wartet, wird dann zugestellt.',
  'alert_todo.other': 'Öffnen Sie die Seite Meldungen der Box.',
  'alert.register_jump':
    'Das Zählwerk von {name} sprang um {time} um {jump} weiter, mehr als es gezählt haben kann. Der Sprung ist aus Summen ausgenommen.',
  'alert.unit_changed':
    'Das Zählwerk von {name} zählt seit {time} in einer anderen Einheit: Aus {from} wurden {to}. Was es seitdem meldet, ist aus Summen ausgenommen.',
  'alert.meters_mixed':
    'Unter dem Namen von {name} senden seit {time} zwei Zähler. Wo sich ihre Werte mischen, sind sie aus Summen ausgenommen.',
  'alert.meter_gap': 'Der Zähler {name} schwieg {hours} Stunden lang ab {time}. Üblich sind dann {usual} je Stunde.',
  'alert.meter_standstill':
    'Der Zähler {name} zeigt seit {time} jede Stunde dasselbe: {value}. Üblich sind dann {usual} je Stunde.',
  'alert.night_load': 'Nachts braucht {name} seit {time} {value} je Stunde. Üblich sind {usual}.',
  'alert_kind.register_jump': 'Zählwerk gesprungen',
  'alert_kind.unit_changed': 'Einheit gewechselt',
  'alert_kind.meters_mixed': 'zwei Zähler vermischt',
  'alert_kind.meter_gap': 'Lücke in den Daten',
  'alert_kind.meter_standstill': 'Zähler steht',
  'alert_kind.night_load': 'hohe Nachtlast',
  'alert_todo.register_jump':
    'Wurde der Zähler getauscht, ist nichts zu tun. Wurde die Energie wirklich verbraucht, korrigieren Sie die Werte dieses Zeitpunkts.',
  'alert_todo.unit_changed':
    'Stellen Sie die Einheit des Geräts richtig, in seinen eigenen Einstellungen oder im Profil. Zählt es wieder wie zuvor, gehen die Summen von selbst weiter.',
  'alert_todo.meters_mixed':
    'Geben Sie jedem Zähler ein eigenes Topic oder einen eigenen Namen; sehen Sie dann die Werte dieser Zeit an und korrigieren Sie sie.',
  'alert_todo.meter_gap':
    'Ein Zählwerk kennt die Summe über die Lücke; ihr Verlauf fehlt, wenn der Zähler ihn nicht nachsenden kann. Prüfen Sie Strom und Netzwerk zu dieser Zeit.',
  'alert_todo.meter_standstill':
    'Sehen Sie auf die Anzeige des Zählers. Bewegt sie sich, prüfen Sie die Verbindung und das gelesene Register; wenn nicht, ist der Zähler defekt.',
  'alert_todo.night_load':
    'Sehen Sie nach, was nachts läuft und früher nicht lief: Lüftung, Licht, ein Kompressor, ein Leck. Soll es laufen, gilt es nach einer Woche als üblich.',
  'alert.anomaly': '{name} verhält sich seit {time} ungewöhnlich: {more}. Am wahrscheinlichsten: {cause}.',
  'alert_kind.anomaly': 'ungewöhnlich',
  'alert_todo.anomaly': 'Nachsehen, was dort läuft. Sagen Sie, ob es zu erwarten war: Die Box lernt daraus.',
  'anomaly.expected': 'War zu erwarten',
  'anomaly.real': 'Ist ein echter Fehler',
  'anomaly.more': '{energy} mehr als vorhergesagt',
  'anomaly.less': '{energy} weniger als vorhergesagt',
  'anomaly.other': 'ein anderer Verlauf als vorhergesagt',
  'anomaly_cause.outage': 'keine Versorgung, oder der Zähler misst nicht',
  'anomaly_cause.stuck': 'der Wert steht still',
  'anomaly_cause.left_on': 'etwas blieb eingeschaltet',
  'anomaly_cause.switched_off': 'etwas wurde abgeschaltet',
  'anomaly_cause.more_of_all': 'alles läuft mehr als sonst',
  'anomaly_cause.less_of_all': 'alles läuft weniger als sonst',
  'anomaly_cause.day_off': 'ein freier Tag, den der Kalender nicht kennt',
  'anomaly_cause.moved_in_time': 'der Tag läuft früher oder später als sonst',
  'anomaly_cause.growing': 'es wächst von Stunde zu Stunde',
  'anomaly_cause.shrinking': 'es schrumpft von Stunde zu Stunde',
  'anomaly_cause.single_peak': 'eine einzelne Spitze',
  'anomaly_cause.single_dip': 'ein einzelner Einbruch',
  'anomaly_cause.unsteady': 'es schwankt ohne Muster',
  'anomaly_cause.unknown': 'nichts Bekanntes',
} as const satisfies Record<keyof typeof english, string>;
