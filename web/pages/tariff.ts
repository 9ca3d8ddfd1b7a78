/** The tariff: its versions, the text that an admin edits, its faults by line, what a change costs, tomorrow's prices. */
import { html } from 'hono/html';
import type { SlotPrices } from '../../engine/tariff/prices.ts';
import { timeChart } from '../charts/time-chart.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, field, linkButton, notice } from '../components/parts.ts';
import { priceTabs } from '../components/price-tabs.ts';
import type { Html, Ui } from '../ui.ts';
import { monthName, priceWords } from './bill.ts';

export type TariffVersionView = {
  valid_from: string;
  name: string;
  current: boolean;
  by: string;
  at_ms: number;
};
export type TariffView = {
  versions: readonly TariffVersionView[];
  /** What is in the editor. */
  draft: { valid_from: string; yaml: string };
  examples: readonly { id: string; name: string }[];
  /** What the check found; null: not checked. */
  faults: readonly { where: string; problem: string; remedy?: string }[] | null;
  problem: string | null;
  /** Bills of past months before and after; null: not checked. */
  effect: {
    currency: string;
    decimals: number;
    months: readonly { month_ms: number; before: number | null; after: number | null }[];
  } | null;
  preview: { prices: SlotPrices; from_ms: number; to_ms: number } | null;
  saved: boolean;
};

export function tariffPage(view: TariffView, ui: Ui): Html {
  const { t } = ui;
  const may_edit = ui.actor?.role === 'admin';
  const content = html`${priceTabs(ui, 'tariff')}<div class="stack">${view.saved ? notice('ok', t('tariff.saved')) : ''}
${may_edit ? '' : html`<p class="soft">${t('tariff.read_only')}</p>`}
${versionsCard(view, may_edit, ui)}${editorCard(view, may_edit, ui)}${view.preview ? previewCard(view.preview, ui) : ''}</div>`;
  return layout(ui, { title: t('tariff.title'), page: 'prices', content, scripts: ['chart.js'], styles: ['bill.css'] });
}

function dayName(day: string, ui: Ui): string {
  if (day === '1970-01-01') return ui.t('tariff.always');
  return new Intl.DateTimeFormat(ui.format.locale, { timeZone: 'UTC', dateStyle: 'long' }).format(Date.parse(day));
}

function versionsCard({ versions, draft }: TariffView, may_edit: boolean, ui: Ui): Html {
  const { t, format } = ui;
  if (versions.length === 0)
    return card({ title: t('tariff.versions'), content: html`<p class="soft">${t('tariff.no_version')}</p>` });
  const row = (one: TariffVersionView) =>
    html`<li><span><a href="/tariff?from=${one.valid_from}" ${one.valid_from === draft.valid_from ? html`aria-current="true"` : ''}>${one.name}</a>${one.current ? html` <span class="badge">${t('tariff.current')}</span>` : ''}</span>
<span class="small soft">${t('tariff.from', { day: dayName(one.valid_from, ui) })} · ${t('tariff.by', { person: one.by, when: format.when(one.at_ms, ui.now_ms) })}</span>
${may_edit && versions.length > 1 ? removeForm(one, ui) : ''}</li>`;
  return card({
    title: t('tariff.versions'),
    aside: may_edit ? linkButton('/tariff?from=new', t('tariff.add')) : '',
    content: html`<ul class="rows">${versions.map(row)}</ul>`,
  });
}

function removeForm({ valid_from, name }: TariffVersionView, ui: Ui): Html {
  return html`<form method="post" action="/tariff/remove">${csrfField(ui)}<input type="hidden" name="valid_from" value="${valid_from}"><button aria-label="${ui.t('tariff.remove_named', { name, day: dayName(valid_from, ui) })}">${ui.t('tariff.remove')}</button></form>`;
}

function editorCard(view: TariffView, may_edit: boolean, ui: Ui): Html {
  const { t } = ui;
  const { draft } = view;
  if (!may_edit)
    return card({ title: t('tariff.text'), content: html`<pre class="yaml" tabindex="0">${draft.yaml}</pre>` });
  const rows = Math.min(40, Math.max(12, draft.yaml.split('\n').length + 1));
  const faulty = view.faults !== null && view.faults.length > 0;
  return card({
    title: t('tariff.text'),
    content: html`${view.problem ? notice('fault', view.problem) : ''}${faulty ? faultList(view.faults ?? [], ui) : ''}${view.effect ? effectOf(view.effect, ui) : ''}
<form class="form" method="post" action="/tariff">${csrfField(ui)}
${field({
  id: 'valid_from',
  label: t('tariff.valid_from'),
  hint: t('tariff.valid_from_hint'),
  control: html`<input id="valid_from" name="valid_from" type="date" value="${draft.valid_from}" required aria-describedby="valid_from-hint">`,
})}
${field({
  id: 'yaml',
  label: t('tariff.yaml'),
  hint: t('tariff.yaml_hint'),
  control: html`<textarea id="yaml" name="yaml" rows="${rows}" class="yaml" spellcheck="false" autocapitalize="none" autocomplete="off" required aria-describedby="yaml-hint" ${faulty ? html`aria-invalid="true"` : ''}>${draft.yaml}</textarea>`,
})}
<div class="actions"><button class="primary" name="act" value="check">${t('tariff.check')}</button><button name="act" value="save">${t('tariff.save')}</button></div></form>
<details><summary>${t('tariff.examples')}</summary><ul class="plain">${view.examples.map(({ id, name }) => html`<li><a href="/tariff?from=${draft.valid_from || 'new'}&amp;example=${id}">${name}</a></li>`)}</ul></details>`,
  });
}

function faultList(faults: NonNullable<TariffView['faults']>, ui: Ui): Html {
  const { t } = ui;
  const line = (where: string) => t('tariff.line', { n: where.replace(/\D/g, '') });
  return notice(
    'fault',
    html`<p>${t('tariff.faults', { n: faults.length })}</p><ul>${faults.map(({ where, problem, remedy }) => html`<li><b>${line(where)}</b>: ${problem}.${remedy ? html` ${remedy}` : ''}</li>`)}</ul>`,
  );
}

function effectOf({ currency, decimals, months }: NonNullable<TariffView['effect']>, ui: Ui): Html {
  const { t, format } = ui;
  if (months.length === 0) return notice('ok', t('tariff.no_effect'));
  const money = (value: number | null) => (value === null ? t('bill.unknown') : format.number(value, decimals));
  const difference = (before: number | null, after: number | null) =>
    before === null || after === null ? '–' : `${after > before ? '+' : ''}${format.number(after - before, decimals)}`;
  return notice(
    'ok',
    html`<p>${t('tariff.effect')}</p><div class="scroll" tabindex="0" role="region" aria-label="${t('tariff.effect')}"><table><thead><tr><th scope="col">${t('tariff.month')}</th><th scope="col" class="numbers">${t('tariff.before', { currency })}</th><th scope="col" class="numbers">${t('tariff.after', { currency })}</th><th scope="col" class="numbers">${t('tariff.difference')}</th></tr></thead>
<tbody>${months.map(({ month_ms, before, after }) => html`<tr><th scope="row">${monthName(month_ms, ui)}</th><td class="numbers">${money(before)}</td><td class="numbers">${money(after)}</td><td class="numbers">${difference(before, after)}</td></tr>`)}</tbody></table></div>`,
  );
}

function previewCard({ prices, from_ms, to_ms }: NonNullable<TariffView['preview']>, ui: Ui): Html {
  const { t, format } = ui;
  const title = t('tariff.preview', { day: `${format.day(from_ms, ui.now_ms)}, ${format.date(from_ms)}` });
  const known = Array.from(prices.import_per_kWh).some((value) => !Number.isNaN(value));
  const holes = prices.missing.map((hole) => html`<li>${priceWords(hole, ui)}</li>`);
  const missing = holes.length > 0 ? html`<ul class="plain small">${holes.slice(0, 5)}</ul>` : '';
  if (!known) return card({ title, content: html`<p class="soft">${t('tariff.preview_none')}</p>${missing}` });
  const scale = format.priceScale(prices.currency);
  const pays = prices.export_per_kWh.some((value) => value !== 0);
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : format.price(value, prices.currency);
  const columns = [t('tariff.import_price'), ...(pays ? [t('tariff.export_price')] : [])];
  return card({
    title,
    content: html`${missing}${timeChart(ui, {
      ...{ id: 'chart-preview', label: title, range: { from_ms, to_ms }, now_ms: null },
      plots: [
        {
          ...{ title: t('chart.price'), unit: scale.unit, factor: scale.factor, tick: format.tick },
          keys: [
            { tone: 'price', shape: 'line', text: t('tariff.import_price') },
            ...(pays ? [{ tone: 'export', shape: 'line', text: t('tariff.export_price') } as const] : []),
          ],
          layers: [
            { kind: 'step', tone: 'price', at_ms: prices.at_ms, values: prices.import_per_kWh, fill: true },
            ...(pays
              ? [{ kind: 'step', tone: 'export', at_ms: prices.at_ms, values: prices.export_per_kWh } as const]
              : []),
          ],
        },
      ],
      table: {
        columns,
        rows: Array.from(prices.at_ms, (at_ms, i) => ({
          ...{ from_ms: at_ms, to_ms: at_ms + prices.slot_ms },
          cells: [text(prices.import_per_kWh[i]), ...(pays ? [text(prices.export_per_kWh[i])] : [])],
        })),
      },
    })}`,
  });
}
