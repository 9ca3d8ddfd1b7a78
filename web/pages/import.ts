/** Loading a file of readings: choose it, look at how it is read, watch it load, read the report. */
import { html } from 'hono/html';
import { checkControl, type FormState, type Option, selectControl, textControl } from '../components/controls.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, field, linkButton, notice } from '../components/parts.ts';
import type { PointChoice } from '../components/point-fields.ts';
import { type QuantityChoice, quantityOptions } from '../components/quantity-options.ts';
import type { Html, Ui } from '../ui.ts';

export type EarlierLoad = {
  id: string;
  file_name: string;
  started_ms: number;
  accepted: number;
  flagged: number;
  rejected: number;
};
export type ImportView = { earlier: readonly EarlierLoad[]; max_bytes: number; problem: string | null };

export function importPage(view: ImportView, ui: Ui): Html {
  const { t } = ui;
  const size = Math.round(view.max_bytes / 1024 ** 2);
  const choose = html`<form class="form" method="post" action="/import" enctype="multipart/form-data">${csrfField(ui)}<p>${t('import.lead')}</p>
${field({ id: 'file', label: t('import.file'), hint: t('import.file_hint', { size }), error: view.problem, control: html`<input id="file" name="file" type="file" accept=".csv,.txt,.tsv,.jsonl,.ndjson,.json,text/csv,application/json" required aria-describedby="file-hint">` })}
<div class="actions"><button class="primary">${icon('file-up')}${t('import.preview')}</button></div></form>`;
  return layout(ui, {
    title: t('import.title'),
    page: 'meters',
    content: html`${card({ title: t('import.choose'), content: choose })}${card({ title: t('import.earlier'), content: earlierList(view.earlier, ui) })}`,
    action: html`<a class="small" href="/meters">${t('meter.all')}</a>`,
  });
}

function earlierList(earlier: readonly EarlierLoad[], ui: Ui): Html {
  const { t, format } = ui;
  if (earlier.length === 0) return html`<p class="soft">${t('import.earlier_none')}</p>`;
  const counts = ({ accepted, flagged, rejected }: EarlierLoad) =>
    t('import.row', {
      accepted: format.number(accepted),
      flagged: format.number(flagged),
      rejected: format.number(rejected),
    });
  return html`<ul class="rows">${earlier.map(
    (load) =>
      html`<li><span><a href="/import/loads/${load.id}"><b>${load.file_name}</b></a> <span class="soft small">${format.when(load.started_ms, ui.now_ms)}</span></span><span class="soft">${counts(load)}</span></li>`,
  )}</ul>`;
}

export type PreviewView = {
  file_name: string;
  /** Fingerprint of the file that was looked at. */
  file: string;
  /** JSON names its quantities by itself: there is nothing to map but the meter. */
  is_json: boolean;
  columns: readonly { name: string /** '', at, meter, from or q:<quantity>. */; as: string }[];
  rows: readonly (readonly string[])[];
  problems: readonly string[];
  /** Values of the details: meter_id, time_zone, decimal_comma, interval_min, interval_stamp, create_meters. */
  form: FormState;
  meters: readonly PointChoice[];
  zones: readonly string[];
  quantities: readonly QuantityChoice[];
};

export function importPreviewPage(view: PreviewView, ui: Ui): Html {
  const { t } = ui;
  const lead = t(view.is_json ? 'import.columns_json' : 'import.columns_lead', { file: view.file_name });
  const missing =
    view.problems.length === 0
      ? ''
      : notice(
          'warning',
          html`<p>${t('import.problems')}</p><ul>${view.problems.map((problem) => html`<li>${problem}</li>`)}</ul>`,
        );
  const content = html`<form class="stack" method="post" action="/import/load">${csrfField(ui)}
<input type="hidden" name="file" value="${view.file}"><input type="hidden" name="file_name" value="${view.file_name}">
${missing}${card({ title: t('import.columns'), content: html`<p class="soft">${lead}</p>${previewTable(view, ui)}` })}
${card({ title: t('import.details'), content: details(view, ui) })}
<div class="actions"><button class="primary">${icon('upload')}${t('import.submit')}</button>${linkButton('/import', t('import.again'))}</div></form>`;
  return layout(ui, { title: t('import.title'), page: 'meters', content });
}

function previewTable(view: PreviewView, ui: Ui): Html {
  const head = view.columns.map(
    (column, i) =>
      html`<th scope="col">${column.name}${view.is_json ? '' : html`<br>${columnSelect(column, i, view.quantities, ui)}`}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${ui.t('import.columns')}"><table class="preview"><thead><tr>${head}</tr></thead>
<tbody>${view.rows.map((row) => html`<tr>${view.columns.map((_, i) => html`<td>${row[i] ?? ''}</td>`)}</tr>`)}</tbody></table></div>`;
}

function columnSelect(
  column: PreviewView['columns'][number],
  i: number,
  quantities: PreviewView['quantities'],
  ui: Ui,
): Html {
  const { t } = ui;
  const option = (value: string, text: string) =>
    html`<option value="${value}" ${value === column.as ? html`selected` : ''}>${text}</option>`;
  return html`<select name="column_${i}" aria-label="${t('import.column', { name: column.name })}">${option('', t('import.skip'))}${option('at', t('import.as_time'))}${option('meter', t('import.as_meter'))}${option('from', t('import.as_from'))}${quantityOptions(quantities, 'q:', column.as, ui)}</select>`;
}

function details(view: PreviewView, ui: Ui): Html {
  const { t } = ui;
  const { form } = view;
  const meters: Option[] = [
    ['', t('import.meter_from_column')],
    ...view.meters.map(({ id, name }) => [id, `${name} (${id})`] as const),
  ];
  const zones: Option[] = view.zones.map((zone) => [zone, zone.replaceAll('_', ' ')]);
  const stamps: Option[] = [
    ['end', t('import.stamp_end')],
    ['start', t('import.stamp_start')],
  ];
  const create =
    ui.actor?.role === 'admin'
      ? checkControl({
          id: 'create_meters',
          label: t('import.create_meters'),
          checked: form.values.create_meters !== undefined,
          hint: t('import.create_meters_hint'),
        })
      : '';
  const meter = selectControl(form, {
    id: 'meter_id',
    label: t('import.meter'),
    hint: t('import.meter_hint'),
    options: meters,
  });
  if (view.is_json) return html`<div class="form-row">${meter}${create}</div>`;
  return html`<div class="form"><div class="form-row">${meter}${selectControl(form, { id: 'time_zone', label: t('import.time_zone'), hint: t('import.time_zone_hint'), options: zones })}</div>
<div class="form-row">${textControl(form, { id: 'interval_min', label: t('import.interval_min'), hint: t('import.interval_min_hint'), inputmode: 'decimal' })}${selectControl(form, { id: 'interval_stamp', label: t('import.interval_stamp'), options: stamps })}</div>
<div class="form-row">${checkControl({ id: 'decimal_comma', label: t('import.decimal_comma'), checked: form.values.decimal_comma !== undefined })}${create}</div></div>`;
}

export type LoadView = {
  id: string;
  file_name: string;
  state:
    | { kind: 'running'; done: number; total: number | null; text: string }
    | { kind: 'failed'; problem: string }
    | {
        kind: 'done';
        lines: number;
        accepted: number;
        flagged: number;
        rejected: number;
        faults: readonly { line: number; problem: string }[];
        unchanged: boolean;
      };
};

export function loadPage(view: LoadView, ui: Ui): Html {
  const content = html`<div class="region wide-region" id="load" sse-swap="load" hx-swap="morph:innerHTML">${loadPart(view, ui)}</div>`;
  const live = view.state.kind === 'running' ? { live: `page=import&id=${encodeURIComponent(view.id)}` } : {};
  return layout(ui, { title: ui.t('import.title'), page: 'meters', content, ...live });
}

/** The live region. */
export function loadPart(view: LoadView, ui: Ui): Html {
  const { t } = ui;
  const { state, file_name } = view;
  if (state.kind === 'running') return runningCard(file_name, state, ui);
  if (state.kind === 'failed')
    return html`${notice('fault', html`<p>${t('import.failed', { problem: state.problem })}</p><p>${t('import.failed_kept')}</p>`)}<div class="actions">${linkButton('/import', t('import.another'), 'primary')}</div>`;
  const told = state.unchanged ? notice('ok', t('import.unchanged')) : '';
  return html`${told}${reportCard(file_name, state, ui)}${faultsCard(state, ui)}
<div class="actions">${linkButton('/meters', t('import.look'), 'primary')}${linkButton('/import', t('import.another'))}</div>`;
}

function runningCard(file: string, state: Extract<LoadView['state'], { kind: 'running' }>, ui: Ui): Html {
  const { t } = ui;
  const share = state.total ? Math.min(1, state.done / state.total) : null;
  const words = share === null ? state.text : t('import.progress', { percent: ui.format.percent(share) });
  return card({
    title: t('import.running', { file }),
    content: html`<progress aria-label="${t('import.running', { file })}" max="1" ${share === null ? '' : html`value="${share.toFixed(3)}"`}></progress>
<p role="status">${words}</p><p class="soft">${t('import.running_text')}</p><noscript><p class="soft">${t('import.reload')}</p></noscript>`,
  });
}

type Report = Extract<LoadView['state'], { kind: 'done' }>;

function reportCard(file: string, report: Report, ui: Ui): Html {
  const { t, format } = ui;
  const count = (label: string, value: number, hint = '') =>
    html`<div class="count"><dt>${label}</dt><dd class="figure">${format.number(value)}</dd>${hint && value > 0 ? html`<dd class="soft small">${hint}</dd>` : ''}</div>`;
  return card({
    title: t('import.done', { file }),
    content: html`<dl class="counts">${count(t('import.lines'), report.lines)}${count(t('import.accepted'), report.accepted)}${count(t('import.flagged'), report.flagged, t('import.flagged_hint'))}${count(t('import.rejected'), report.rejected)}</dl>`,
  });
}

function faultsCard({ faults, rejected }: Report, ui: Ui): Html | string {
  const { t, format } = ui;
  if (faults.length === 0) return '';
  const first =
    faults.length < rejected
      ? html`<p class="soft">${t('import.faults_first', { n: format.number(faults.length), all: format.number(rejected) })}</p>`
      : '';
  return card({
    title: t('import.faults'),
    content: html`${first}<div class="scroll tall" tabindex="0" role="region" aria-label="${t('import.faults')}"><table><thead><tr><th scope="col" class="numbers">${t('import.line')}</th><th scope="col">${t('import.problem')}</th></tr></thead>
<tbody>${faults.map((fault) => html`<tr><td class="numbers">${format.number(fault.line)}</td><td>${fault.problem}</td></tr>`)}</tbody></table></div>`,
  });
}
