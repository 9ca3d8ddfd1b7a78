/** Repairing a span of readings: choose, say what is right, see before and after. Works without JavaScript. */
import { html } from 'hono/html';
import { timeChart } from '../charts/time-chart.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, field, notice } from '../components/parts.ts';
import { quantityName } from '../components/quantity.ts';
import type { Html, Ui } from '../ui.ts';

export type RepairRow = {
  at_ms: number;
  value: number | null;
  /** Names of the marks. */
  marks: readonly string[];
  /** Left out of sums. */
  excluded: boolean;
};
type Sums = { span: number | null; days: number | null; cost: number | null; days_cost: number | null };
export type RepairView = {
  meter: { id: string; name: string };
  quantity: string;
  unit: string;
  kind: 'gauge' | 'register' | 'interval';
  quantities: readonly string[];
  span: { from_ms: number; to_ms: number };
  /** Of the form, in the site's zone. */
  from: string;
  to: string;
  marked: readonly RepairRow[];
  /** Readings in the span; null where they are too many or not known. */
  count: number | null;
  /** The days of the span as they are. */
  curve: { from_ms: number; to_ms: number; slots: { at_ms: ArrayLike<number>; values: ArrayLike<number> } } | null;
  fields: Readonly<Record<string, string>>;
  /** Name of a text `repair.fault_…`. */
  problem: string | null;
  /** How many readings were repaired, `undo` or `redo`. */
  done: string | null;
  effect: {
    changed: readonly { at_ms: number; before: number | null; after: number | null }[];
    slots: { unit: string; at_ms: Float64Array; before: Float64Array; after: Float64Array };
    sums: { unit: string; currency: string | null; before: Sums; after: Sums } | null;
    notes: readonly ('register_decides' | 'rest_follows')[];
  } | null;
  acts: readonly RepairActView[];
};
export type RepairActView = {
  id: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  kind: 'values' | 'value' | 'energy' | 'interpolate' | 'missing' | 'lift' | 'undo' | 'redo';
  amount: number | null;
  target: string | null;
  taken_back: boolean;
  state: 'begun' | 'done' | 'revoking' | 'refused';
  by: string;
  at_ms: number;
  reason: string;
  count: number;
  /** null while they are not asked for. */
  changes: readonly { at_ms: number; before: number | null; after: number | null; lifted: boolean }[] | null;
};

const SHOWN = 100;
const SLOT_MS = 15 * 60_000;

export function repairPage(view: RepairView, ui: Ui): Html {
  const { t } = ui;
  const address = `/meters/${encodeURIComponent(view.meter.id)}`;
  const content = html`${doneNotice(view, ui)}${view.problem ? notice('fault', t(`repair.fault_${view.problem}` as 'repair.fault_span')) : ''}
<p class="soft">${t('repair.lead')}</p>
${card({ title: t('repair.step_span'), content: html`${spanForm(view, address, ui)}${view.effect ? '' : curve(view, ui)}${markedList(view, address, ui)}` })}
${card({ title: t('repair.step_choice'), content: choiceForm(view, address, ui) })}
${view.effect ? card({ id: 'effect', title: t('repair.step_effect'), content: effectPart(view, view.effect, ui) }) : ''}
${card({ title: t('repair.history'), content: history(view, address, ui) })}`;
  return layout(ui, {
    title: t('repair.title', { name: view.meter.name }),
    page: 'meters',
    content,
    scripts: ['chart.js'],
    action: html`<a class="small" href="${address}">${view.meter.name}</a>`,
  });
}

function doneNotice({ done }: RepairView, ui: Ui): Html | string {
  if (done === null) return '';
  const text =
    done === 'undo' || done === 'redo' ? ui.t(`repair.done_${done}`) : ui.t('repair.done', { n: Number(done) });
  return notice('ok', text);
}

function spanForm(view: RepairView, address: string, ui: Ui): Html {
  const options = view.quantities.map(
    (name) =>
      html`<option value="${name}" ${name === view.quantity ? html`selected` : ''}>${quantityName(ui, name)}</option>`,
  );
  const count = view.count === null ? '' : html`<p class="soft small">${ui.t('repair.count', { n: view.count })}</p>`;
  return html`<form class="form-row" method="get" action="${address}/repair">
${field({ id: 'quantity', label: ui.t('meter.quantity'), control: html`<select id="quantity" name="quantity">${options}</select>` })}
${field({ id: 'from', label: ui.t('repair.from'), control: html`<input id="from" name="from" type="datetime-local" step="1" value="${view.from}">` })}
${field({ id: 'to', label: ui.t('repair.to'), control: html`<input id="to" name="to" type="datetime-local" step="1" value="${view.to}">` })}
<div class="actions"><button>${ui.t('repair.show')}</button></div></form>${count}`;
}

function markedList(view: RepairView, address: string, ui: Ui): Html {
  const { t } = ui;
  if (view.marked.length === 0) return html`<p class="soft small">${t('repair.marked_none')}</p>`;
  const rows = view.marked.map((row) => {
    const from = Math.floor(row.at_ms / 1000) * 1000;
    const to = Math.ceil(row.at_ms / 1000) * 1000;
    const link = `${address}/repair?${new URLSearchParams({ quantity: view.quantity, from: String(from), to: String(to) })}`;
    const marks = row.marks.map((mark) => t(`quality.${mark}` as 'quality.repaired')).join(', ');
    const time = ui.format.timeWithSeconds(row.at_ms);
    return html`<tr><td>${time}</td><td class="numbers">${valueText(row.value, view, ui)}</td><td>${marks}</td><td><a href="${link}">${t('repair.choose')}<span class="unseen"> ${time}</span></a></td></tr>`;
  });
  return html`<details ${view.marked.some((row) => row.excluded) && !view.effect ? html`open` : ''}><summary>${t('repair.marked')} (${view.marked.length})</summary>
<div class="scroll repair-list" tabindex="0"><table><thead><tr><th scope="col">${t('repair.time')}</th><th scope="col" class="numbers">${t('repair.value')}</th><th scope="col">${t('repair.mark')}</th><td></td></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}

function choiceForm(view: RepairView, address: string, ui: Ui): Html {
  const { t } = ui;
  const { fields } = view;
  const hints: Partial<Record<string, string>> = {
    energy: t('repair.hint_energy'),
    ...(view.kind === 'register' ? { value: t('repair.hint_counter') } : {}),
  };
  const energy = view.kind === 'gauge' ? (view.quantity === 'power_W' ? 'kWh' : null) : view.unit;
  const kinds = (['value', 'energy', 'interpolate', 'missing'] as const).filter((kind) => kind !== 'energy' || energy);
  const choices = kinds.map(
    (kind) =>
      html`<label class="repair-choice"><input type="radio" name="kind" value="${kind}" ${fields.kind === kind ? html`checked` : ''} required><span>${t(`repair.choice_${kind}`)}${hints[kind] ? html` <span class="soft small">${hints[kind]}</span>` : ''}</span></label>`,
  );
  const amount =
    energy && energy !== view.unit
      ? t('repair.amount_energy', { unit: view.unit, energy })
      : t('repair.amount', { unit: view.unit });
  const hidden = (
    [
      ['quantity', view.quantity],
      ['from', view.from],
      ['to', view.to],
    ] as const
  ).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return html`<form class="form" method="post" action="${address}/repair#effect">
${csrfField(ui)}${hidden}
<fieldset class="repair-choices"><legend class="unseen">${t('repair.step_choice')}</legend>${choices}</fieldset>
<div class="form-row">${field({ id: 'amount', label: amount, control: html`<input id="amount" name="amount" inputmode="decimal" value="${fields.amount ?? ''}">` })}
${field({ id: 'reason', label: t('repair.reason'), hint: t('repair.reason_hint'), control: html`<input id="reason" name="reason" maxlength="500" value="${fields.reason ?? ''}" aria-describedby="reason-hint">` })}</div>
<div class="actions"><button class="${view.effect ? '' : 'primary'}" name="act" value="preview">${t('repair.preview')}</button>${view.effect ? html`<button class="primary" name="act" value="apply">${t('repair.apply')}</button><span class="soft small">${t('repair.nothing_stored')}</span>` : ''}</div>
</form>`;
}

function valueText(value: number | null, view: Pick<RepairView, 'unit' | 'kind'>, ui: Ui): string {
  if (value === null) return ui.t('repair.no_value');
  return view.kind === 'register' ? ui.format.register(value, view.unit) : ui.format.value(value, view.unit);
}

/** The curve of the days as it is. */
function curve(view: RepairView, ui: Ui): Html | string {
  if (!view.curve || view.curve.slots.at_ms.length === 0) return '';
  const { from_ms, to_ms, slots } = view.curve;
  return chartOf(view, { from_ms, to_ms }, [{ name: ui.t('repair.now'), ...slots, style: '' as const }], ui);
}

type Line = { name: string; at_ms: ArrayLike<number>; values: ArrayLike<number>; style: '' | 'dashed faint' };

function chartOf(view: RepairView, range: { from_ms: number; to_ms: number }, lines: readonly Line[], ui: Ui): Html {
  const all = lines.flatMap(({ values }) => Array.from(values).filter((value) => !Number.isNaN(value)));
  const scale = ui.format.scaleOf(view.unit, all);
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : ui.format.scaled(value, scale);
  const first = lines[0]!;
  const name = quantityName(ui, view.quantity);
  const maps = lines.map(({ at_ms, values }) => new Map(Array.from(at_ms, (at, i) => [at, values[i]!])));
  return timeChart(ui, {
    id: 'repair-chart',
    label: ui.t('repair.chart', { quantity: name }),
    range,
    now_ms: null,
    plots: [
      {
        title: name,
        unit: view.kind === 'gauge' ? scale.unit : `${scale.unit} / 15 min`,
        keys: lines.map((line) => ({
          tone: 'load',
          shape: line.style === '' ? 'line' : 'dashed faint',
          text: line.name,
        })),
        factor: scale.factor,
        tick: ui.format.tick,
        layers: [
          { kind: 'window', tone: 'warning', ...view.span, label: '' },
          ...lines.map((line) => ({ kind: 'step' as const, tone: 'load' as const, ...line })),
        ],
      },
    ],
    table: {
      columns: lines.map((line) => line.name),
      rows: Array.from(first.at_ms, (at) => ({
        ...{ from_ms: at, to_ms: at + SLOT_MS },
        cells: maps.map((map) => text(map.get(at))),
      })),
    },
  });
}

function effectPart(view: RepairView, effect: NonNullable<RepairView['effect']>, ui: Ui): Html {
  const { t } = ui;
  const { at_ms, before, after } = effect.slots;
  const range = { from_ms: at_ms[0]!, to_ms: at_ms.at(-1)! + SLOT_MS };
  const lines = [
    { name: t('repair.after'), at_ms, values: after, style: '' as const },
    { name: t('repair.before'), at_ms, values: before, style: 'dashed faint' as const },
  ];
  const notes = effect.notes.map((name) => notice('warning', t(`repair.note_${name}`)));
  return html`${notes}${effect.sums ? sumsTable(effect.sums, ui) : ''}${chartOf(view, range, lines, ui)}
<details><summary>${t('repair.changes', { n: effect.changed.length })}</summary>${changesTable(effect.changed, view, ui)}</details>`;
}

function sumsTable(
  { unit, currency, before, after }: NonNullable<NonNullable<RepairView['effect']>['sums']>,
  ui: Ui,
): Html {
  const { t } = ui;
  const amount = (value: number | null) => (value === null ? '–' : ui.format.value(value, unit));
  const money = (value: number | null) =>
    value === null || currency === null ? '–' : ui.format.money(value, currency);
  const row = (title: string, was: string, becomes: string) =>
    html`<tr><th scope="row">${title}</th><td class="numbers">${was}</td><td class="numbers"><b>${becomes}</b></td></tr>`;
  const cost =
    currency === null || before.days_cost === null
      ? ''
      : html`${row(`${t('repair.cost')}: ${t('repair.in_span')}`, money(before.cost), money(after.cost))}
${row(`${t('repair.cost')}: ${t('repair.in_days')}`, money(before.days_cost), money(after.days_cost))}`;
  return html`<div class="scroll"><table class="repair-sums"><thead><tr><td></td><th scope="col" class="numbers">${t('repair.before')}</th><th scope="col" class="numbers">${t('repair.after')}</th></tr></thead><tbody>
${row(t('repair.in_span'), amount(before.span), amount(after.span))}
${row(t('repair.in_days'), amount(before.days), amount(after.days))}
${cost}</tbody></table></div>`;
}

function changesTable(
  changes: readonly { at_ms: number; before: number | null; after: number | null; lifted?: boolean }[],
  view: Pick<RepairView, 'unit' | 'kind'>,
  ui: Ui,
): Html {
  const { t } = ui;
  const cut = changes.length > SHOWN ? html`<p class="soft small">${t('repair.cut', { n: SHOWN })}</p>` : '';
  const rows = changes
    .slice(0, SHOWN)
    .map(
      (one) =>
        html`<tr><td>${whenText(one.at_ms, ui)}</td><td class="numbers">${valueText(one.before, view, ui)}</td><td class="numbers">${one.lifted ? t('repair.measured') : valueText(one.after, view, ui)}</td></tr>`,
    );
  return html`${cut}<div class="scroll repair-list" tabindex="0"><table><thead><tr><th scope="col">${t('repair.time')}</th><th scope="col" class="numbers">${t('repair.before')}</th><th scope="col" class="numbers">${t('repair.after')}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function history(view: RepairView, address: string, ui: Ui): Html {
  if (view.acts.length === 0) return html`<p class="soft">${ui.t('repair.history_none')}</p>`;
  return html`<ul class="rows repair-acts">${view.acts.map((act) => html`<li class="whole">${actPart(act, view, address, ui)}</li>`)}</ul>`;
}

function actPart(act: RepairActView, view: RepairView, address: string, ui: Ui): Html {
  const { t } = ui;
  const state = act.taken_back
    ? 'taken_back'
    : act.state === 'refused' || act.state === 'revoking'
      ? 'refused'
      : act.state === 'begun'
        ? 'begun'
        : null;
  const line = t('repair.history_line', {
    ...{ quantity: quantityName(ui, act.quantity), from: whenText(act.from_ms, ui), to: whenText(act.to_ms, ui) },
    n: act.count,
  });
  const turn = act.taken_back ? 'redo' : 'undo';
  const button =
    act.target !== null || act.state !== 'done'
      ? ''
      : html`<form method="post" action="${address}/repair">${csrfField(ui)}<input type="hidden" name="repair" value="${act.id}"><button class="quiet" name="act" value="${turn}">${t(`repair.${turn}`)}</button></form>`;
  const values = `${address}/repair?${new URLSearchParams({ quantity: view.quantity, from: view.from, to: view.to, repair: act.id })}`;
  return html`<div class="repair-act"><div><strong>${t(`repair.kind_${act.kind}`)}</strong>${state ? html` <span class="chip">${t(`repair.state_${state}`)}</span>` : ''}
<p>${line}</p><p class="soft small">${t('repair.history_by', { who: act.by, time: whenText(act.at_ms, ui) })}: ${act.reason}</p>
<p class="small"><a href="${values}#act-${act.id}" id="act-${act.id}">${t('repair.old_values')}</a></p></div>${button}</div>
${act.changes ? changesTable(act.changes, unitOf(act, view), ui) : ''}`;
}

/** Acts of another quantity are written in its unit, which its name ends in. */
function unitOf(act: RepairActView, view: RepairView): Pick<RepairView, 'unit' | 'kind'> {
  if (act.quantity === view.quantity) return view;
  return {
    unit: act.quantity.split('_').at(-1) ?? '',
    kind: /^(import|export|heat)_kWh$/.test(act.quantity) ? 'register' : 'gauge',
  };
}

function whenText(at_ms: number, { format }: Ui): string {
  return `${format.longDate(at_ms)} ${format.timeWithSeconds(at_ms)}`;
}
