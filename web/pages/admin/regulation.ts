/** Admin, regulation: how far answers can be trusted, measured; the words that people say for those of the law. */
import { html } from 'hono/html';
import { sparkLine } from '../../charts/spark.ts';
import { askOnce } from '../../components/ask-once.ts';
import { type FormState, selectControl, textControl } from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { age, card, csrfField, field, type State, stateMark } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

/** One figure of a measurement; shares are 0…1. */
export type EvalFigure = {
  name: string;
  value: number;
  kind: 'share' | 'ms' | 'count';
  /** Whether more of it is better; null: it says nothing about good or bad. */
  more_is_better: boolean | null;
  /** What it has to reach, or stay below; null: nothing is set. */
  bound: number | null;
};
export type EvalRun = {
  id: string;
  kind: 'retrieval' | 'answers';
  at_ms: number;
  /** Name of the set of questions. */
  set: string;
  questions: number;
  /** What was measured: the index, or the language model; null: the box's own quotes. */
  version: string | null;
  figures: readonly EvalFigure[];
  /** It got worse than before and raised an alert. */
  dropped: boolean;
};
export type GlossaryRow = {
  /** As people say it. */
  lay: string;
  /** As the documents say it. */
  legal: readonly string[];
  language: 'de' | 'en';
  /** Added or changed here; false: it came with the box. */
  own: boolean;
  /** Who added it. */
  changed_by: string | null;
};
/** Questions whose section is known, by which finding is measured. */
export type GoldenRow = { name: string; questions: number; changed_by: string };
/** The language model: whether it is there, and how far it is where it is being fetched. */
export type ModelRow = {
  name: string;
  state: 'ready' | 'missing' | 'unreachable';
  /** Why it is not ready. */
  reason: string | null;
  pulling: { status: string; done_bytes: number | null; total_bytes: number | null } | null;
  /** Why the last fetch failed. */
  fault: string | null;
  /** Only the organisation that the box belongs to fetches models. */
  can_pull: boolean;
};
export type RegulationAdminView = {
  /** Null: none is configured, answers are quotes. */
  model: ModelRow | null;
  /** Newest first. */
  runs: readonly EvalRun[];
  /** Kinds that are being measured. */
  running: readonly EvalRun['kind'][];
  /** Kinds that can be measured from here. */
  measurable: readonly EvalRun['kind'][];
  golden: readonly GoldenRow[];
  glossary: readonly GlossaryRow[];
  /** Of the glossary and of the sets of questions. */
  add: FormState;
  told: Told;
};

const KINDS = ['retrieval', 'answers'] as const;

export function regulationAdminPage(view: RegulationAdminView, ui: Ui): Html {
  const { model, runs, running, glossary } = view;
  const shown = KINDS.filter((kind) => view.measurable.includes(kind) || runs.some((run) => run.kind === kind));
  // What is under way is looked at again until it is done.
  const again =
    running.length > 0 || model?.pulling
      ? html`<div hx-get="/admin/regulation" hx-trigger="load delay:3s" hx-select="#regulation" hx-target="#regulation" hx-swap="outerHTML"></div>`
      : '';
  const content = html`<div class="region wide-region" id="regulation">${modelCard(model, ui)}
${shown.map((kind) => trustCard(kind, view, shown.length > 1 ? 'half' : 'full', ui))}
${runs.length > 1 ? historyCard(runs, ui) : ''}${again}</div>
${goldenCard(view, ui)}${glossaryCard(glossary, view.add, ui)}`;
  return adminPage(ui, 'regulation', content, { told: view.told, styles: ['regulation.css'] });
}

const MODEL_STATES: Record<ModelRow['state'], State> = { ready: 'ok', missing: 'warning', unreachable: 'fault' };

/** Who words the answers; without a model they are quotes, which is no fault. */
function modelCard(model: ModelRow | null, ui: Ui): Html {
  const { t, format } = ui;
  if (model === null)
    return card({
      title: t('model.title'),
      content: html`<p>${stateMark('ok', t('model.none'))}</p><p class="soft">${t('model.none_text')}</p>`,
    });
  const { pulling } = model;
  const percent = pulling?.total_bytes ? Math.floor((100 * (pulling.done_bytes ?? 0)) / pulling.total_bytes) : null;
  const progress = pulling
    ? html`<p class="stage"><progress ${percent === null ? '' : html`value="${percent}" max="100"`} aria-label="${t('model.pulling')}"></progress><span class="small soft">${t('model.pulling')} ${percent === null ? pulling.status : `${format.number(percent)}\u00a0%`}</span></p>`
    : '';
  const pull =
    model.can_pull && model.state === 'missing' && !pulling
      ? html`<form method="post" action="/admin/regulation/model">${csrfField(ui)}<button class="primary">${icon('download')}${t('model.pull')}</button></form>`
      : '';
  return card({
    title: t('model.title'),
    content: html`<p><b>${model.name}</b> ${stateMark(MODEL_STATES[model.state], t(`model.${model.state}`))}</p>
${model.reason ? html`<p class="soft">${model.reason}</p>` : ''}${model.fault ? html`<p>${stateMark('fault', model.fault)}</p>` : ''}${progress}${pull}
<p class="soft small">${model.state === 'ready' ? t('model.ready_text') : t('model.quotes_meanwhile')}</p>`,
  });
}

/** The newest measurement of a kind: each figure in words, against what it has to reach. */
function trustCard(kind: EvalRun['kind'], view: RegulationAdminView, size: 'half' | 'full', ui: Ui): Html {
  const { t } = ui;
  const runs = view.runs.filter((run) => run.kind === kind);
  const [last] = runs;
  const isRunning = view.running.includes(kind);
  const measure = !view.measurable.includes(kind)
    ? ''
    : html`<form method="post" action="/admin/regulation/measure">${csrfField(ui)}<input type="hidden" name="kind" value="${kind}"><button ${isRunning ? html`disabled` : ''}>${icon('gauge')}${isRunning ? t('eval.running') : t('eval.measure')}</button></form>`;
  const content = last
    ? html`<p class="soft">${t('eval.measured', { n: last.questions, set: last.set })} ${age(ui, last.at_ms)}${last.version ? html` · ${last.version}` : ''}</p>
${last.dropped ? html`<p>${stateMark('warning', t('eval.dropped'))}</p>` : ''}
<table class="figures"><thead><tr><th scope="col">${t('eval.figure')}</th><th scope="col">${t('eval.value')}</th><th scope="col">${t('eval.bound')}</th><th scope="col">${t('eval.course')}</th></tr></thead>
<tbody>${last.figures.map((figure) => figureRow(figure, runs, ui))}</tbody></table>`
    : html`<p class="soft">${t(`eval.${kind}_none`)}</p>`;
  return card({
    title: t(`eval.${kind}`),
    size,
    content: html`<p>${t(`eval.${kind}_lead`)}</p>${content}`,
    aside: measure,
  });
}

function figureRow(figure: EvalFigure, runs: readonly EvalRun[], ui: Ui): Html {
  const points = runs
    .flatMap(({ at_ms, figures }) =>
      figures.filter(({ name }) => name === figure.name).map(({ value }) => ({ at_ms, value })),
    )
    .reverse();
  const state = stateOf(figure);
  const value =
    state === null ? written(figure, figure.value, ui) : stateMark(state, written(figure, figure.value, ui));
  const bound =
    figure.bound === null || figure.more_is_better === null
      ? ''
      : `${figure.more_is_better ? '≥' : '≤'}\u00a0${written(figure, figure.bound, ui)}`;
  return html`<tr><th scope="row">${nameOf(figure.name, ui)}</th><td>${value}</td><td class="soft">${bound}</td><td>${sparkLine(points, 'load')}</td></tr>`;
}

function stateOf({ value, bound, more_is_better }: EvalFigure): State | null {
  if (bound === null || more_is_better === null) return null;
  return (more_is_better ? value >= bound : value <= bound) ? 'ok' : 'warning';
}

function written({ kind }: Pick<EvalFigure, 'kind'>, value: number, { format }: Ui): string {
  const percent = Math.round(value * 1000) / 10;
  if (kind === 'share') return `${format.number(percent, Number.isInteger(percent) ? 0 : 1)}\u00a0%`;
  return kind === 'ms' ? `${format.number(value, value < 10 ? 1 : 0)}\u00a0ms` : format.number(value);
}

/** Names of figures come with the measurement; those that are not known stay as they are. */
function nameOf(name: string, ui: Ui): string {
  const key = `figure.${name}`;
  return ui.has(key) ? ui.t(key as 'figure.recall5') : name.replaceAll('_', ' ');
}

const SHOWN = 30;
function historyCard(runs: readonly EvalRun[], ui: Ui): Html {
  const { t, format } = ui;
  const rows = runs.slice(0, SHOWN).map((run) => {
    const head = [t(`eval.${run.kind}`), run.set, run.version ?? ''].filter(Boolean).join(' · ');
    const figures = run.figures.map((figure) => `${nameOf(figure.name, ui)}: ${written(figure, figure.value, ui)}`);
    return html`<li><div class="stack tight"><span><b>${format.when(run.at_ms, ui.now_ms)}</b> ${head}</span><span class="soft small">${figures.join(' · ')}</span></div>${run.dropped ? stateMark('warning', t('eval.worse')) : ''}</li>`;
  });
  return card({ title: t('eval.history'), content: html`<ul class="rows">${rows}</ul>` });
}

const EXAMPLE = '{"question": "Was ist eine Kundenanlage?", "document": "EnWG", "section": "§ 3"}';
/** Sets of questions of one's own: a JSON object a line. */
function goldenCard({ golden, add }: RegulationAdminView, ui: Ui): Html {
  const { t } = ui;
  const rows = golden.map(({ name, questions, changed_by }) => {
    const removal = askOnce(ui, {
      action: `/admin/regulation/golden/${encodeURIComponent(name)}/remove`,
      label: t('golden.remove', { name }),
      question: t('golden.remove_ask', { name }),
      yes: t('golden.remove_yes'),
    });
    return html`<li><div class="stack tight"><b>${name}</b><span class="soft small">${t('golden.questions', { n: questions })} · ${t('glossary.by', { who: changed_by })}</span></div>${removal}</li>`;
  });
  return card({
    title: t('golden.title'),
    id: 'golden',
    content: html`<p class="soft">${t('golden.lead')}</p>${rows.length > 0 ? html`<ul class="rows">${rows}</ul>` : ''}
<details ${add.errors.golden ? html`open` : ''}><summary>${t('golden.add')}</summary><form class="form" method="post" action="/admin/regulation/golden">${csrfField(ui)}
${textControl(add, { id: 'name', label: t('golden.name'), autocomplete: 'off' })}
${field({ id: 'golden', label: t('golden.lines'), hint: t('golden.lines_hint', { example: EXAMPLE }), error: add.errors.golden ?? null, control: html`<textarea id="golden" name="golden" rows="6" spellcheck="false" aria-describedby="golden-hint">${add.values.golden ?? ''}</textarea>` })}
<div class="actions"><button class="primary">${icon('plus')}${t('golden.save')}</button></div></form></details>`,
  });
}

function glossaryCard(glossary: readonly GlossaryRow[], add: FormState, ui: Ui): Html {
  const { t } = ui;
  const own = glossary.filter((row) => row.own);
  const given = glossary.filter((row) => !row.own);
  const list = (rows: readonly GlossaryRow[]) => html`<ul class="rows">${rows.map((row) => glossaryRow(row, ui))}</ul>`;
  return card({
    title: t('glossary.title'),
    id: 'glossary',
    content: html`<p class="soft">${t('glossary.lead')}</p>
<form class="form" method="post" action="/admin/regulation/glossary" novalidate>${csrfField(ui)}<div class="form-row">
${textControl(add, { id: 'lay', label: t('glossary.lay'), hint: t('glossary.lay_hint'), autocomplete: 'off' })}
${textControl(add, { id: 'legal', label: t('glossary.legal'), hint: t('glossary.legal_hint'), autocomplete: 'off' })}
${selectControl(add, {
  ...{ id: 'language', label: t('glossary.language'), value: ui.language },
  options: [
    ['de', 'Deutsch'],
    ['en', 'English'],
  ],
})}</div>
<div class="actions"><button class="primary">${icon('plus')}${t('glossary.add')}</button></div></form>
${own.length > 0 ? list(own) : ''}
${given.length > 0 ? html`<details><summary>${t('glossary.given', { n: given.length })}</summary><form method="post" action="/admin/regulation/glossary/remove">${csrfField(ui)}${list(given)}</form></details>` : ''}`,
  });
}

function glossaryRow({ lay, legal, language, own, changed_by }: GlossaryRow, ui: Ui): Html {
  const { t } = ui;
  const action = `/admin/regulation/glossary/${language}/${encodeURIComponent(lay)}/remove`;
  // What came with the box is long, and adding it again undoes its removal: no question asked.
  const removal = own
    ? askOnce(ui, {
        ...{ action, label: t('glossary.remove', { lay }), question: t('glossary.remove_ask', { lay }) },
        yes: t('glossary.remove_yes'),
      })
    : html`<button class="quiet" name="remove" value="${language} ${lay}" aria-label="${t('glossary.remove', { lay })}">${icon('x')}</button>`;
  return html`<li><div class="stack tight"><span lang="${language}"><b>${lay}</b> → ${legal.join('; ')}</span>${own && changed_by ? html`<span class="soft small">${t('glossary.by', { who: changed_by })}</span>` : ''}</div>${removal}</li>`;
}
