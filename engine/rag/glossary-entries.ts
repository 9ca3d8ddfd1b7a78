/** The glossary that a box comes with: everyday words of people who run buildings and the words of energy law. */
import type { GlossaryEntry } from './glossary.ts';

const DE = `
Netzentgeltreduzierung = reduziertes Netzentgelt; Reduzierung von Netzentgelten
Netzgebühr; Netzgebühren; Gebühren fürs Netz; Netzkosten = Netzentgelt; Netzentgelte
Wallbox; Ladesäule; Ladestation; Ladebox = Ladepunkt für Elektromobile; steuerbare Verbrauchseinrichtung
E-Auto; Elektroauto; Elektrofahrzeug; Stromer = Elektromobil; Ladepunkt
Wärmepumpe; Klimaanlage = steuerbare Verbrauchseinrichtung; elektrisch betriebene Wärmepumpe
drosseln; abregeln; dimmen = steuern; netzorientierte Steuerung; Reduzierung des Leistungsbezugs
herunterregeln; herunterfahren; abschalten = Anpassung der Wirkleistungserzeugung; Anpassung von Einspeisungen
überlastet; Netzüberlastung; Netzengpass = Gefährdung der Sicherheit und Zuverlässigkeit; Engpass
Nachlass; Rabatt; Ermäßigung = Reduzierung; Verringerung; Ermäßigung
Steuerbox = Steuerungseinrichtung
Stromanbieter; Stromversorger; Anbieter; Versorger = Energielieferant; Stromlieferant; Energieversorgungsunternehmen
Vollversorger = Lieferant; vollständige Versorgung
Privatkunde; Privatkunden; Privathaushalt; Familie = Haushaltskunde; Verbraucher
Kunde; Stromkunde; Verbraucher = Letztverbraucher
Mieter; Bewohner; Hausbewohner = Letztverbraucher im Gebäude; Mieterstrom
kein neuer Anbieter; keinen neuen; ohne Vertrag; gekündigt = Ersatzversorgung; keinem Liefervertrag zugeordnet
Lichter an; beliefert uns = Ersatzversorgung; Grundversorger
Strom abstellen; abgeklemmt; abklemmen; Strom abgestellt; Stromsperre; sperren; gesperrt = Unterbrechung der Versorgung; Versorgungsunterbrechung
Stromausfall; Ausfall der Versorgung = Versorgungsunterbrechung
nicht zahlen; zahlungsunfähig; Zahlungsrückstand = Nichterfüllung einer Zahlungsverpflichtung; Zahlungsverzug
schwer krank; krankes Kind; Härtefall = besonders schutzbedürftig; Gefahr für Leib oder Leben; unverhältnismäßig
Reklamation; Beschwerde; beschweren = Verbraucherbeschwerde; Beanstandung
Schlichtung; ohne zu klagen; Streit mit dem Versorger; nicht einigt = Schlichtungsstelle; Schlichtungsverfahren
Anbieterwechsel; Versorgerwechsel; Wechsel des Anbieters = Lieferantenwechsel
Stromrechnung; Abrechnung = Energierechnung; Rechnung; Verbrauchsabrechnung
Preiserhöhung; teurer; Preise erhöhen = Preisänderung; Änderung der Preise
Abschlag; Vorauszahlung = Abschlagszahlung; Vorauszahlung
dynamischer Tarif; Börsenstrompreis; stündlicher Preis = dynamischer Stromtarif; Spotmarktpreis; Börsenpreis
Festpreis = Festpreisvertrag
Strompreis an der Börse; Minuspreise; negative Preise; Preis unter null = negative Spotmarktpreise; Spotmarktpreis negativ
hinten drangehängt; nachholen = Verlängerung des Vergütungszeitraums
Sonnenstrom; Solarstrom; Photovoltaikstrom; PV-Strom = Strom aus solarer Strahlungsenergie; Solaranlage
Solaranlage; Photovoltaikanlage; PV-Anlage; Photovoltaik; Dachanlage; Solardach = Solaranlage; Solaranlagen auf Gebäuden
Balkonkraftwerk; Balkonsolar; Steckersolar = Steckersolargerät
Nachbarn; mit Nachbarn teilen; teilen = gemeinsame Nutzung elektrischer Energie; gemeinsame Nutzung
Hausdach; im selben Haus; Mehrfamilienhaus = gemeinschaftliche Gebäudeversorgung; Gebäudestromnutzungsvertrag
Windrad; Windkraftanlage; Windmühle; Windkraft; Windstandort = Windenergieanlage an Land; Windenergie an Land
Vorrang; Schutzgüter; Abwägung = überragendes öffentliches Interesse; vorrangiger Belang; Schutzgüterabwägung
Biogasanlage = Biomasseanlage; Biogas
Güllekleinanlage = Vergärung von Gülle
Geld für; wie viele Jahre; Förderdauer; Förderung = Zahlungsanspruch; Dauer des Anspruchs; Marktprämie; Einspeisevergütung
Einspeisevergütung = Vergütung; anzulegender Wert
Fördersatz; Vergütungssatz = anzulegender Wert
Kaution; Sicherheit; Bürgschaft; Gebotssicherheit; Sicherheitsleistung = Sicherheit; Höhe der Sicherheit; Leistung von Sicherheiten
Obergrenze; Höchstgebot; Höchstpreis; Maximalpreis; Ausschreibungshöchstwert = Höchstwert; Preisobergrenze
Ausschreibung; Auktion = Gebotstermin; Ausschreibung; Bekanntmachung
Strafe; Bußgeld; Geldbuße; Sanktion = Ordnungswidrigkeit; Geldbuße; Zahlungen bei Pflichtverstößen
Zähler; Stromzähler; Messgerät = Messeinrichtung; Messstelle
Smart Meter; intelligenter Zähler; digitaler Zähler = intelligentes Messsystem; moderne Messeinrichtung
Zählerfirma; Messdienstleister; Zählerbetreiber = Messstellenbetreiber
pleite; insolvent; Insolvenz; fällt aus = Ausfall; Auffangmessstellenbetreiber; Ausfall des Messstellenbetreibers
Zählertausch; Zähler tauschen; Zählerwechsel; Zähler umgebaut; Zählerumbau; umgebaut = Einbau; Ausstattung; Austausch von Messeinrichtungen
Elektriker; Handwerker; Installateur; Monteur = fachkundiges Unternehmen; Beauftragter; Installateur
ins Haus lassen; Zutritt; Wohnung betreten; Grundstückszutritt = Zutrittsrecht; Zutritt; Zutritt zum Grundstück
Zählerstand; ablesen; Ablesung = Messwert; Zählerstand; Ablesung
falsche Messung; Messfehler; Zähler geht falsch; Zähler falsch = Messfehler; Nachprüfung der Messeinrichtung; Berechnungsfehler
Zählernachprüfung; Zähler prüfen = Nachprüfung von Messeinrichtungen; Befundprüfung
Messkosten; Zählermiete; Zählergebühr; Messentgelt = Entgelt für den Messstellenbetrieb; Preisobergrenze
Viertelstundenwerte; Lastgang; Lastprofil = Zählerstandsgangmessung; registrierende Lastgangmessung; Standardlastprofil
Datenschutz; wer darf die Daten sehen; meine Daten = berechtigte Stelle; personenbezogene Daten; Verarbeitung von Messwerten
Batterie; Stromspeicher; Akku; Batteriespeicher; Großbatterie; Speicher; Hausspeicher = Energiespeicheranlage; Stromspeicher
puffern; eingelagert; einlagern; zwischenspeichern; Zwischenspeicherung = Zwischenspeicherung; im Stromspeicher verbraucht; zeitlich verzögerte Einspeisung
Aufschläge; Aufschlag; Umlage; Abgaben = Umlagen; Umlageerhebung; Netzumlage
örtlicher Netzbetreiber; lokaler Netzbetreiber; Stadtwerk; Stadtwerke = Verteilernetzbetreiber; Betreiber von Elektrizitätsverteilernetzen
großer Netzbetreiber; überregionaler Netzbetreiber = Übertragungsnetzbetreiber
Netzbetreiber = Betreiber von Elektrizitätsversorgungsnetzen
Chemiepark; Industriepark; Gewerbepark; Werksnetz; Arealnetz; eigene Leitungen = geschlossenes Verteilernetz; Kundenanlage
eigene Leitung zum Kunden = Direktleitung
Hausanschluss; Netzanschluss; Anschluss ans Netz = Netzanschluss; Anschlussnehmer
Lastspitze; Spitzenlast; Leistungspreis; Höchstlast = Jahreshöchstleistung; Leistungspreis
atypische Netznutzung; Bandlast; gleichmäßiger Verbrauch; Sondernetzentgelt; Industrierabatt = individuelles Netzentgelt; Sonderformen der Netznutzung
mehrere Anschlüsse zusammenfassen; Zusammenfassen von Zählpunkten = Pooling; Entnahmestellen zusammengefasst
Behörde; Regulierer; Netzagentur = Regulierungsbehörde; Bundesnetzagentur
Auskunft fordern; Auskunft = Auskunftsverlangen; Verlangen von Auskünften; Monitoring des Lastmanagements
abschaltbare Lasten; großer Stromverbraucher; großer Verbraucher = Lastmanagement; Unternehmen mit hohem Stromverbrauch; Letztverbraucher
Kraftwerk abschalten; Stilllegung; Kraftwerksstilllegung = Stilllegung von Anlagen; endgültige Stilllegung
Zoll; Zollamt = Hauptzollamt
Stromabgabe; Abgabe auf Strom = Stromsteuer; Steuer
zurückholen; Erstattung; zurückbekommen; Rückerstattung = Steuerentlastung; Erlass; Erstattung; Vergütung der Steuer
steuerfrei; keine Steuer; Steuerbefreiung = von der Steuer befreit; Steuerbefreiung
Steuersatz; Steuerhöhe = Steuertarif; Steuer beträgt
Handwerksbetrieb; Fertigung; Fabrik; Produktionsbetrieb = Unternehmen des Produzierenden Gewerbes
Schiff im Hafen; Landstrom = landseitige Stromversorgung; Wasserfahrzeuge; Landstromanlage
Straßenbahn; Zug; Bahn; Oberleitungsbus = Verkehr mit Oberleitungsomnibussen; Schienenbahn; Schienenbahnverkehr
Energiesteuer; Steueranmeldung = Steueranmeldung; Steuerschuld
Rechenzentrum; Serverhaus; Serverfarm; Data Center = Rechenzentrum; Betreiber von Rechenzentren
Server; Geräte der Mieter; IT-Kunden = Informationstechnik; Kunden; Betreiber von Informationstechnik
Abwärme; Wärme abgeben = Vermeidung und Verwendung von Abwärme; Abwärme
Energiesparmaßnahme; Sparmaßnahme; Energiesparen; Effizienzmaßnahme = Endenergieeinsparmaßnahme; Umsetzungspläne
Energiemanagement; ISO 50001; Energiemanager = Energie- oder Umweltmanagementsystem
Energiecheck; Energieprüfung = Energieaudit
Sparziel; Einsparziel; Einsparung = Energieeffizienzziele; Einsparverpflichtung; Endenergieverbrauch
Kosten pro Einheit; Preisblatt = Netzentgelte; Preisblatt
Abschreibung; Lebensdauer; abgeschrieben; Nutzungsdauer = betriebsgewöhnliche Nutzungsdauern; kalkulatorische Abschreibungen
Verlustenergie; Netzverluste; Netzverlustkosten = Verlustenergie; Kosten der Beschaffung
Ausgleichsenergie = Bilanzkreisabrechnung; Regelenergie
Regelenergie; Regelleistung = Systemdienstleistungen; Regelreserve
Ausbauplan; Netzausbau = Netzausbauplan; Netzentwicklungsplan
Gasspeicher; Füllstand = Gasspeicheranlage; Füllstandsvorgaben
Wasserstoff = Wasserstoffnetz
Konzession; Stadt; Gemeinde; Wegenutzung = Konzessionsabgabe; Wegenutzungsverträge
Straßenbeleuchtung ohne Messung; ohne Zähler = pauschal; nicht gemessen; Schätzung
Zertifikat; Einheitenzertifikat; Anlagenzertifikat = Anlagenzertifikat; Konformitätserklärung; Nachweis
Nachweis = Herkunftsnachweis; Nachweisführung
Ökostrom; Grünstrom; grüner Strom = Strom aus erneuerbaren Energien; Herkunftsnachweis
Bürgerenergie = Bürgerenergiegesellschaft
Eigenverbrauch; Selbstversorgung = Eigenversorgung; Eigenverbrauch
Direktverkauf; selbst vermarkten = Direktvermarktung
Frist; wie lange Zeit; Zeit lassen = innerhalb einer Frist; innerhalb von
Stromkennzeichnung; Strommix = Energieträgermix; Stromkennzeichnung
Stromfresser; energieintensiv = stromkostenintensive Unternehmen; Stromkostenintensität
`;

const EN = `
grid fee; grid charge; network fee = network tariff; network charges; use of system charges
smart meter = smart metering system
battery; storage = energy storage facility; energy storage
wallbox; charging point; EV charger = recharging point
electric car; electric vehicle = electric vehicle
power cut; blackout; outage = interruption of supply; loss of load
switching supplier; change supplier; switch provider = switching; supplier switching
supplier; provider; utility = supplier; electricity undertaking
household; private customer = household customer
prosumer; own generation; self-supply = active customer; renewables self-consumer; self-consumption
sharing power with neighbours; energy sharing; energy cooperative = citizen energy community; renewable energy community
hourly tariff; real-time price; spot tariff = dynamic electricity price contract
bill; invoice = billing; billing information
insider trading; insider = inside information; insider trading
market abuse; price rigging = market manipulation
curtailment; switched off; turned down = redispatching; curtailment
bottleneck; congested line = congestion; structural congestion
grid operator; network operator; DSO = distribution system operator
TSO; transmission operator = transmission system operator
large load; data center; big consumer = Large Load; Large Electronic Load
power line; interconnector = interconnector; transmission line
flexibility; load shifting; demand side response = demand response
poor customer; fuel poverty = vulnerable customer; energy poverty
penalty; fine = administrative penalty; penalties
planning model = Regional Transmission Plan
`;

export const GLOSSARY: readonly GlossaryEntry[] = [...entriesOf(DE, 'de'), ...entriesOf(EN, 'en')];

/** A line: `lay; lay = legal; legal`. */
function entriesOf(text: string, language: GlossaryEntry['language']): GlossaryEntry[] {
  const split = (side: string) =>
    side
      .split(';')
      .map((one) => one.trim())
      .filter(Boolean);
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [lay = '', legal = ''] = line.split(' = ');
      return split(lay).map((one) => ({ lay: one, legal: split(legal), language }));
    });
}
