import type { priceTexts as english } from '../en/prices.ts';

export const priceTexts = {
  'prices.now': 'Eine kWh kostet jetzt {price}',
  'prices.now_unknown': 'Der Preis dieser Viertelstunde ist nicht bekannt',
  'prices.fixed': 'Eine kWh kostet jederzeit {price}',
  'prices.fixed_hint':
    'Der Standort hat einen festen Preis, also ist keine Stunde günstiger als eine andere. Ein Admin kann auf Day-Ahead-Preise umstellen.',
  'prices.against_mean': '{percent} unter dem heutigen Mittel',
  'prices.above_mean': '{percent} über dem heutigen Mittel',
  'prices.near_mean': 'etwa im heutigen Mittel',
  'prices.cheapest': 'Am günstigsten',
  'prices.dearest': 'Am teuersten',
  'prices.window': '{time}, im Mittel {price}',
  'prices.cheaper_by': '{price} weniger als am teuersten',
  'prices.same': 'Der Preis ändert sich kaum.',
  'prices.negative': 'Der Marktpreis ist {time} negativ.',
  'prices.chart_label': 'Was eine kWh kostet, {day}, in Viertelstunden',
  'prices.site': 'was Sie zahlen',
  'prices.market': 'Marktpreis',
  'prices.mark_cheapest': 'günstig',
  'prices.mark_dearest': 'teuer',
  'prices.day_none': 'Keine Preise für diesen Tag.',
  'prices.tomorrow_none':
    'Morgen ist noch nicht veröffentlicht. Die Preise kommen gegen {time}; der nächste Versuch ist um {next}.',
  'prices.tomorrow_none_unknown': 'Morgen ist noch nicht veröffentlicht. Day-Ahead-Preise kommen gegen {time}.',
  'prices.formula': 'Sie zahlen den Marktpreis × {factor}, plus {fee} Umlagen und Entgelte, plus {vat} Mehrwertsteuer.',
  'prices.origin': 'Woher die Preise kommen',
  'prices.source_ok': 'abgerufen {age}',
  'prices.source_never': 'noch nicht abgerufen',
  'prices.source_fault': 'letzter Versuch {age}: {fault}',
  'prices.source_next': 'nächster Versuch {time}',
  'prices.source_used': 'hier gezeigt',
  'prices.stale':
    'Diese Preise sind veraltet: seit {since} kam nichts Neues. Was bekannt ist, bleibt; fehlende Preise werden immer wieder angefragt.',
  'prices.area': 'Marktgebiet {area}',
  'prices.empty_title': 'Noch keine Preise',
  'prices.empty':
    'Hier sehen Sie, wann Strom günstig ist, heute und morgen. Die Box fragt ihre Preisquellen für {area} von selbst; der nächste Versuch ist {next}.',
  'prices.empty_soon': 'in Kürze',
  'prices.refresh': 'Jetzt abfragen',
  'prices.asked': 'Abgefragt. Neue Preise erscheinen hier von selbst.',
} as const satisfies Record<keyof typeof english, string>;
