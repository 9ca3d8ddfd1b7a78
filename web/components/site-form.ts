/** The fields of a site and its energy price; the set-up page and the Admin page share them. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { field } from './parts.ts';

/** What was typed, by field name, and what is wrong with it. Empty values take the defaults. */
export type SiteForm = {
  values: Readonly<Record<string, string>>;
  errors: Readonly<Record<string, string>>;
  areas: readonly { area: string; name: string }[];
  /** Name of the tariff where that is more than one price: its page changes it. Else the form does. */
  tariff?: string | null;
};

export const SITE_DEFAULTS: Readonly<Record<string, string>> = {
  time_zone: 'Europe/Berlin',
  country: 'DE',
  currency: 'EUR',
  price_kind: 'fixed',
  area: 'DE-LU',
  factor: '1',
  fee_per_kWh: '0',
  vat_percent: '19',
};

export function siteFields(form: SiteForm, ui: Ui): Html {
  const { t } = ui;
  const text = textField(form);
  return html`<fieldset class="form"><legend><h2>${t('setup.place')}</h2></legend>
<div class="form-row">${text('name', t('setup.name'), { hint: t('setup.name_hint') })}${text('place', t('setup.city'), { hint: t('setup.city_hint') })}</div>
<div class="form-row">${select(form, 'time_zone', t('setup.time_zone'), timeZones())}${select(form, 'country', t('setup.country'), countries(ui.language))}${select(form, 'currency', t('setup.currency'), currencies(ui.language))}</div>
</fieldset>
${form.tariff === null || form.tariff === undefined ? priceFields(form, ui) : tariffLink(form.tariff, ui)}`;
}

function tariffLink(name: string, ui: Ui): Html {
  return html`<fieldset class="form"><legend><h2>${ui.t('setup.price')}</h2></legend>
<p>${ui.t('setup.price_tariff', { name })} <a href="/tariff">${ui.t('setup.to_tariff')}</a></p></fieldset>`;
}

function priceFields(form: SiteForm, ui: Ui): Html {
  const { t } = ui;
  const text = textField(form);
  const kind = typed(form, 'price_kind');
  const choice = (value: string, label: string) =>
    html`<label class="option"><input type="radio" name="price_kind" value="${value}" ${kind === value ? html`checked` : ''}>${label}</label>`;
  return html`<fieldset class="form price-kind"><legend><h2>${t('setup.price')}</h2></legend>
<div class="options" role="radiogroup" aria-label="${t('setup.price_kind')}">${choice('fixed', t('setup.price_fixed'))}${choice('day-ahead', t('setup.price_day_ahead'))}</div>
<div class="form-row when-fixed">${text('per_kWh', t('setup.per_kWh'), { decimal: true })}</div>
<div class="form-row when-day-ahead">${select(
    form,
    'area',
    t('setup.area'),
    form.areas.map(({ area, name }) => [area, `${name} (${area})`] as const),
  )}${text('factor', t('setup.factor'), { decimal: true })}${text('fee_per_kWh', t('setup.fee'), { decimal: true, hint: t('setup.fee_hint') })}</div>
<div class="form-row">${text('vat_percent', t('setup.vat'), { decimal: true })}</div>
</fieldset>`;
}

function typed({ values }: SiteForm, name: string): string {
  return values[name] ?? SITE_DEFAULTS[name] ?? '';
}

/** Attributes that tie a control to its hint and error. */
function described(form: SiteForm, name: string, hint?: string): Html | string {
  const error = form.errors[name];
  const ids = [hint ? `${name}-hint` : '', error ? `${name}-error` : ''].filter(Boolean).join(' ');
  return html`${ids ? html`aria-describedby="${ids}"` : ''} ${error ? html`aria-invalid="true"` : ''}`;
}

function textField(form: SiteForm) {
  return (name: string, label: string, options: { hint?: string; decimal?: boolean } = {}): Html =>
    field({
      id: name,
      label,
      hint: options.hint ?? null,
      error: form.errors[name] ?? null,
      control: html`<input id="${name}" name="${name}" value="${typed(form, name)}" ${options.decimal ? html`inputmode="decimal"` : ''} ${described(form, name, options.hint)}>`,
    });
}

function select(form: SiteForm, name: string, label: string, options: readonly (readonly [string, string])[]): Html {
  const value = typed(form, name);
  const known =
    options.some(([key]) => key === value) || value === '' ? options : [[value, value] as const, ...options];
  return field({
    id: name,
    label,
    error: form.errors[name] ?? null,
    control: html`<select id="${name}" name="${name}" ${described(form, name)}>${known.map(
      ([key, text]) => html`<option value="${key}" ${key === value ? html`selected` : ''}>${text}</option>`,
    )}</select>`,
  });
}

function timeZones(): (readonly [string, string])[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')].map(
    (zone) => [zone, zone.replaceAll('_', ' ')] as const,
  );
}

/** ISO 3166-1 alpha-2: every pair of letters that has a name of its own. */
const REGIONS = (() => {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
  const withdrawn = new Set([
    'AN',
    'BU',
    'CS',
    'DD',
    'DY',
    'EU',
    'EZ',
    'FX',
    'HV',
    'NH',
    'NT',
    'QO',
    'QU',
    'RH',
    'SU',
    'TP',
    'UK',
    'UN',
    'VD',
    'XA',
    'XB',
    'YD',
    'YU',
    'ZR',
    'ZZ',
  ]);
  return letters.flatMap((a) => letters.map((b) => a + b)).filter((code) => !withdrawn.has(code) && names.of(code));
})();

function countries(language: string): (readonly [string, string])[] {
  const names = new Intl.DisplayNames(language, { type: 'region' });
  return REGIONS.map((code) => [code, names.of(code) ?? code] as const).sort((a, b) =>
    a[1].localeCompare(b[1], language),
  );
}

const COMMON_CURRENCIES = [
  'EUR',
  'CHF',
  'GBP',
  'USD',
  'NOK',
  'SEK',
  'DKK',
  'PLN',
  'CZK',
  'HUF',
  'RON',
  'BGN',
  'CAD',
  'AUD',
];

function currencies(language: string): (readonly [string, string])[] {
  const names = new Intl.DisplayNames(language, { type: 'currency' });
  const rest = Intl.supportedValuesOf('currency').filter((code) => !COMMON_CURRENCIES.includes(code));
  return [...COMMON_CURRENCIES, ...rest].map((code) => [code, `${code} – ${names.of(code) ?? code}`] as const);
}
