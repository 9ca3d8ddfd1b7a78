import type { searchTexts as english } from '../en/search.ts';

/** Netz oder Bus nach Geräten durchsuchen. */
export const searchTexts = {
  'search.link': 'Netzwerk durchsuchen',
  'search.title': 'Geräte suchen',
  'search.network': 'Netzwerk durchsuchen',
  'search.network_text':
    'Fragt jede Adresse dieser Netze, ob ein Zähler, ein Wechselrichter oder ein Gateway antwortet, und hört auf Geräte, die sich selbst melden. Es wird nur gelesen.',
  'search.ranges': 'Netze',
  'search.ranges_hint': 'Private Bereiche, einer je Zeile, höchstens 1.024 Adressen: 192.168.1.0/24.',
  'search.confirm': 'Ich darf diese Netze durchsuchen',
  'search.confirm_needed': 'Bestätigen Sie, dass Sie diese Netze durchsuchen dürfen.',
  'search.start': 'Suchen',
  'search.bus': 'Einen Bus durchsuchen',
  'search.bus_text':
    'Fragt eine Unit-Nummer nach der anderen, an einer seriellen Leitung oder hinter einem Gateway. Alle dauern etwa zwei Minuten; Zähler, die über denselben Bus gelesen werden, kommen weiter an die Reihe, dann dauert es länger.',
  'search.from_unit': 'Von Unit',
  'search.to_unit': 'Bis Unit',
  'search.running': 'Durchsucht {where}',
  'search.progress': '{done} von {total} gefragt, {found} gefunden',
  'search.stop': 'Anhalten',
  'search.done': 'Durchsucht: {where}',
  'search.stopped': 'Nach {done} von {total} angehalten.',
  'search.failed': 'Die Suche endete vorzeitig: {problem}',
  'search.unreachable':
    'Die Suche endete vorzeitig: Keine Verbindung zu {where}. Hat das Gerät Strom, steckt das Kabel, stimmt die Adresse oder der Anschluss? Einzelheiten: {problem}',
  'search.time_limit':
    'Die Suche endete vorzeitig, nach {done} von {total}: Eine Suche dauert höchstens zehn Minuten. Was gefunden wurde, bleibt; durchsuchen Sie den Rest für sich.',
  'search.none_until_then': 'Bis dahin wurde nichts gefunden.',
  'search.none':
    'Nichts, was die Box kennt, hat geantwortet. Ist das Gerät in diesem Netz, ist Modbus oder seine lokale Schnittstelle eingeschaltet?',
  'search.none_yet': 'Noch nichts gefunden.',
  'search.found': 'Gefunden',
  'search.unknown': 'Unbekanntes Gerät',
  'search.serial': 'Seriennummer {serial}',
  'search.version': 'Firmware {version}',
  'search.known': 'ist schon da',
  'search.no_profile': 'noch kein Profil',
  'search.add': 'Hinzufügen',
  'search.choose': 'Profil wählen',
  'search.choose_for': 'Für das Gerät unter {address}: Seine Adresse geht mit.',
  'search.announced': 'hat sich gemeldet',
  'search.kept': 'Sie läuft weiter, auch wenn niemand zusieht.',
  'search.reload': 'Laden Sie die Seite neu, um zu sehen, wie weit sie ist.',
  'search.prefilled': 'Aus der Suche übernommen: {vendor} {model} unter {address}.',
} as const satisfies Record<keyof typeof english, string>;
