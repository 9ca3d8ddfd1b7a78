/** Repairing readings of one day: choose, say what is right and why. Works without JavaScript. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { card, csrfField, field, notice } from '../components/parts.ts';
import { quantityName } from '../components/quantity.ts';
import type { TextKey } from '../i18n/text.ts';
import type { Html, Ui } from '../ui.ts';

export type RepairRow = {
  at_ms: number;
  value: number | null /** Names of the marks, `ok` for none. */;
  marks: readonly string[];
};
export type RepairView = {
  meter: { id: string; name: string };
  quantity: string;
  unit: string;
  quantities: readonly string[];
  /** `YYYY-MM-DD` in the site's zone. */
  day: string;
  /** Marked ones first. */
  rows: readonly RepairRow[];
  total: number;
  values: Readonly<Record<string, string>>;
  chosen: readonly number[];
  problem: TextKey | null;
  done: number | null;
};

export function repairPage(view: RepairView, ui: Ui): Html {
  const { t } = ui;
  const address = `/meters/${encodeURIComponent(view.meter.id)}`;
  const content = html`${view.done === null ? '' : notice('ok', t('repair.done', { n: view.done }))}
${card({ title: quantityName(ui, view.quantity), content: html`<p class="soft">${t('repair.lead')}</p>${choice(view, address, ui)}` })}
${card({ title: view.day, content: view.rows.length === 0 ? html`<p class="soft">${t('repair.none')}</p>` : repairForm(view, address, ui) })}`;
  return layout(ui, {
    title: t('repair.title', { name: view.meter.name }),
    page: 'meters',
    content,
    action: html`<a class="small" href="${address}">${view.meter.name}</a>`,
  });
}

function choice(view: RepairView, address: string, ui: Ui): Html {
  const options = view.quantities.map(
    (name) =>
      html`<option value="${name}" ${name === view.quantity ? html`selected` : ''}>${quantityName(ui, name)}</option>`,
  );
  return html`<form class="form-row" method="get" action="${address}/repair">
${field({ id: 'quantity', label: ui.t('meter.quantity'), control: html`<select id="quantity" name="quantity">${options}</select>` })}
${field({ id: 'day', label: ui.t('repair.day'), control: html`<input id="day" name="day" type="date" value="${view.day}">` })}
<div class="actions"><button>${ui.t('repair.show')}</button></div></form>`;
}

function repairForm(view: RepairView, address: string, ui: Ui): Html {
  const { t } = ui;
  const cut = view.total > view.rows.length ? t('repair.cut', { n: view.rows.length }) : '';
  return html`<form class="form" method="post" action="${address}/repair">
${csrfField(ui)}<input type="hidden" name="quantity" value="${view.quantity}"><input type="hidden" name="day" value="${view.day}">
${view.problem ? notice('fault', t(view.problem as 'repair.fault_none')) : ''}
<p class="soft small">${t('repair.marked_only', { n: view.total })} ${cut}</p>
<div class="scroll repair-list" tabindex="0"><table><thead><tr><td></td><th scope="col">${t('repair.time')}</th><th scope="col" class="numbers">${t('repair.value')}</th><th scope="col">${t('repair.mark')}</th></tr></thead>
<tbody>${view.rows.map((row) => tableRow(row, view, ui))}</tbody></table></div>
<div class="form-row">${field({ id: 'value', label: t('repair.new_value', { unit: view.unit }), control: html`<input id="value" name="value" inputmode="decimal" value="${view.values.value ?? ''}">` })}
${field({ id: 'reason', label: t('repair.reason'), hint: t('repair.reason_hint'), control: html`<input id="reason" name="reason" maxlength="500" value="${view.values.reason ?? ''}" aria-describedby="reason-hint">` })}</div>
<div class="actions"><button class="primary" name="act" value="set">${t('repair.set')}</button><button name="act" value="missing">${t('repair.missing')}</button><button name="act" value="lift">${t('repair.lift')}</button></div>
</form>`;
}

function tableRow(row: RepairRow, view: RepairView, ui: Ui): Html {
  const time = ui.format.timeWithSeconds(row.at_ms);
  const box = html`<input type="checkbox" name="at" value="${row.at_ms}" aria-label="${ui.t('repair.choose', { time })}" ${view.chosen.includes(row.at_ms) ? html`checked` : ''}>`;
  const marks = row.marks.map((mark) => ui.t(`quality.${mark}` as 'quality.repaired')).join(', ');
  return html`<tr><td>${box}</td><td>${time}</td><td class="numbers">${row.value === null ? '–' : ui.format.value(row.value, view.unit)}</td><td>${marks}</td></tr>`;
}
