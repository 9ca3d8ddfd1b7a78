import type { accountTexts as english } from '../en/account.ts';

/** Das eigene Konto, der zweite Faktor und der Zustand des Protokolls. */
export const accountTexts = {
  'sign_in.code_title': 'Einmalcode',
  'sign_in.code_lead': 'Ihr Konto hat einen zweiten Faktor. Öffnen Sie die Authenticator-App auf Ihrem Telefon.',
  'sign_in.code': 'Code',
  'sign_in.code_hint': 'Sechs Ziffern, alle 30 Sekunden neue. Ohne Telefon: einer Ihrer Wiederherstellungscodes.',
  'sign_in.code_wrong': 'Der Code ist falsch, wurde schon benutzt, oder die Anmeldung hat zu lange gedauert.',
  'sign_in.code_lost':
    'Die Box hat den Schlüssel verloren, mit dem sie die Codes Ihrer App prüft: Sie wurde ohne ihre Schlüssel wiederhergestellt. Melden Sie sich mit einem Ihrer Wiederherstellungscodes an und richten Sie den zweiten Faktor neu ein. Ohne einen solchen: Ein Admin entfernt Ihren zweiten Faktor unter Admin, Personen, oder an der Box selbst mit ./luna user reset-second-factor und Ihrem Namen.',
  'sign_in.code_back': 'Von vorn beginnen',

  'account.title': 'Ihr Konto',
  'account.password_title': 'Passwort',
  'account.present': 'Jetziges Passwort',
  'account.new': 'Neues Passwort',
  'account.again': 'Neues Passwort noch einmal',
  'account.password_hint': 'Mindestens 10 Zeichen. Ein neues meldet Sie überall sonst ab.',
  'account.password_save': 'Passwort ändern',
  'account.saved': 'Gespeichert. Überall sonst wurden Sie abgemeldet.',
  'account.wrong_password': 'Das jetzige Passwort ist falsch.',
  'account.wait': 'Zu viele falsche Versuche. Bitte in {seconds} {seconds|Sekunde|Sekunden} noch einmal.',
  'account.by_key': 'Sie kamen mit einem API-Schlüssel: Nur Personen haben ein Konto.',
  'account.code_title': 'Zweiter Faktor',
  'account.code_off':
    'Mit einem zweiten Faktor öffnet ein Passwort allein nichts: Bei der Anmeldung zeigt eine App auf Ihrem Telefon einen Code, den Sie eintippen.',
  'account.code_needed':
    'Ihre Rolle braucht einen zweiten Faktor. Bitte richten Sie ihn jetzt ein; danach geht es weiter.',
  'account.code_begin': 'Einrichten',
  'account.code_scan':
    'Scannen Sie dieses Bild mit einer Authenticator-App (Aegis, Google Authenticator, 2FAS und andere), oder tippen Sie das Geheimnis dort ein.',
  'account.code_picture': 'Bild für die Authenticator-App',
  'account.code_secret': 'Geheimnis',
  'account.code_account': 'Konto',
  'account.code_kind': 'Art',
  'account.code_kind_text': 'zeitbasiert, 6 Ziffern, 30 Sekunden',
  'account.code_first': 'Code, den die App jetzt zeigt',
  'account.code_confirm': 'Einschalten',
  'account.code_wrong':
    'Der Code passt nicht. Die Uhren von Telefon und Box dürfen höchstens eine halbe Minute abweichen.',
  'account.code_on': 'Eingeschaltet seit {when}.',
  'account.code_lost':
    'Die Box hat den Schlüssel verloren, mit dem sie die Codes Ihrer App prüft. Schalten Sie den zweiten Faktor aus und richten Sie ihn neu ein.',
  'account.code_left': 'Noch {n} von 10 {n|Wiederherstellungscode|Wiederherstellungscodes}.',
  'account.code_renew': 'Neue Wiederherstellungscodes',
  'account.code_remove': 'Ausschalten',
  'account.code_confirm_with': 'Bestätigen Sie mit Ihrem jetzigen Passwort.',
  'account.codes_title': 'Ihre Wiederherstellungscodes',
  'account.codes_lead':
    'Jeder meldet Sie einmal an, wenn das Telefon fehlt. Drucken Sie sie aus oder schreiben Sie sie auf, und bewahren Sie sie getrennt vom Telefon auf.',
  'account.codes_copy': 'Wiederherstellungscodes',

  'people.second_factor': 'zweiter Faktor',
  'people.second_factor_reset': 'Zweiten Faktor von {name} entfernen',
  'people.second_factor_reset_short': 'Zweiten Faktor entfernen',
  'people.second_factor_reset_ask':
    'Den zweiten Faktor von {name} entfernen? Die Person wird überall abgemeldet und meldet sich nur mit dem Passwort an, bis sie einen neuen einrichtet.',
  'people.second_factor_reset_yes': 'Ja, entfernen',
  'people.demand_title': 'Wer einen zweiten Faktor braucht',
  'people.demand_lead':
    'Personen mit diesen Rollen können nichts tun, bis sie einen eingerichtet haben. Das gilt sofort, auch für schon Angemeldete.',
  'people.demand_save': 'Speichern',

  'audit.chain_ok': 'Vollständig und unverändert: {n} {n|Eintrag|Einträge}, jeder mit dem vorigen versiegelt.',
  'audit.chain_signed': 'Von der Box unterschrieben bis Eintrag {id}, {when}.',
  'audit.chain_unsigned': 'Noch nicht unterschrieben.',
  'audit.chain_accepted':
    'Einträge bis {through} sind mit einem anderen Schlüssel unterschrieben, den die Box nicht mehr hat; {actor} hat das mit Eintrag {entry} anerkannt, {when}.',
  'audit.chain_other_key': 'Einträge bis {through} sind mit einem anderen Schlüssel unterschrieben als dem dieser Box.',
  'audit.chain_other_key_remedy':
    'Wurde die Box ohne ihre Schlüssel wiederhergestellt, erkennt ein Admin das an der Box an: ./luna audit accept-key. Sonst hat jemand einen anderen Schlüssel an die Stelle des früheren gelegt.',
  'audit.chain_broken': 'Das Protokoll wurde verändert oder ist beschädigt.',
  'audit.chain_remedy':
    'Bewahren Sie eine Kopie des Ordners der Box unverändert auf, klären Sie, wer an ihre Platte kam, und vergleichen Sie mit der letzten Sicherung: ./luna audit verify',
  'audit.export': 'Mit Prüfsummen ausgeben',
  'act.accept audit key':
    'hat anerkannt, dass ältere Einträge mit einem anderen Schlüssel als {object} unterschrieben sind',
  'act.set up second factor': 'hat einen zweiten Faktor für {object} eingerichtet',
  'act.remove second factor': 'hat den zweiten Faktor von {object} ausgeschaltet',
  'act.reset second factor': 'hat den zweiten Faktor von {object} entfernt',
  'act.renew recovery codes': 'hat neue Wiederherstellungscodes für {object} erstellt',
  'act.demand second factor': 'hat festgelegt, wer einen zweiten Faktor braucht: {object}',
  'detail.roles': 'Rollen',
} as const satisfies Record<keyof typeof english, string>;
