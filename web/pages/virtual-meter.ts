/** A computed meter: a sum or difference of other meter points. */
import { html } from 'hono/html';
import type { MeterRole } from '../../engine/model/site.ts';
import { askOnce } from '../components/ask-once.ts';
import { type FormState, type Option, selectControl, textControl } from '../components/controls.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, linkButton, notice } from '../components/parts.ts';
import { type PointChoice, pointFields } from '../components/point-fields.ts';
import type { Html, Ui } from '../ui.ts';

export type VirtualView = {
  /** The one that is changed; null for a new one. */
  point: { id: string; name: string } | null;
  role: MeterRole;
  parent: string | null;
  suggested_id: string;
  /** Meter points it may be computed from, with their present factor (0: left out). */
  terms: readonly (PointChoice & { role: MeterRole; factor: number })[];
  form: FormState;
  problem: string | null;
};

export function virtualMeterPage(view: VirtualView, ui: Ui): Html {
  const { t } = ui;
  const title = view.point ? t('virtual.change_title', { name: view.point.name }) : t('virtual.title');
  const action = html`<a class="small" href="${view.point ? `/meters/${encodeURIComponent(view.point.id)}` : '/meters/new'}">${view.point ? view.point.name : t('add.another')}</a>`;
  if (view.terms.length === 0) {
    const actions = linkButton('/meters/new', t('meters.add'), 'primary');
    const empty = emptyState({ title: t('virtual.empty_title'), text: t('virtual.empty'), icon: 'sigma', actions });
    return layout(ui, { title, page: 'meters', content: empty, action });
  }
  const faulty = Object.keys(view.form.errors).length > 0;
  const told = view.problem ? notice('fault', view.problem) : faulty ? notice('fault', t('add.faults')) : '';
  const target = view.point ? `/meters/${encodeURIComponent(view.point.id)}/formula` : '/meters/new/virtual';
  const content = html`<form class="stack" method="post" action="${target}" novalidate>${csrfField(ui)}${told}${nameCard(view, ui)}${formulaCard(view, ui)}
<div class="actions"><button class="primary">${t('virtual.save')}</button></div></form>${view.point ? removal(view.point, ui) : ''}`;
  return layout(ui, { title, page: 'meters', content, action });
}

function nameCard(view: VirtualView, ui: Ui): Html {
  const { t } = ui;
  const id = view.point
    ? ''
    : textControl(view.form, { id: 'id', label: t('add.id'), hint: t('add.id_hint'), value: view.suggested_id });
  const others = view.terms.filter((term) => term.id !== view.point?.id);
  return card({
    title: t('add.names'),
    content: html`<p class="soft">${t('virtual.lead')}</p><div class="form-row">${textControl(view.form, { id: 'name', label: t('add.name'), hint: t('add.name_hint'), value: view.point?.name ?? '' })}${id}</div>
<div class="form-row">${pointFields(view.form, { suffix: '', role: view.role, parent: view.parent, others }, ui)}</div>`,
  });
}

function formulaCard(view: VirtualView, ui: Ui): Html {
  const { t } = ui;
  const error = view.form.errors.formula;
  return card({
    title: t('virtual.formula'),
    content: html`${error ? notice('fault', error) : ''}<ul class="rows formula">${view.terms.map(
      (term) =>
        html`<li>${selectControl(view.form, { id: `factor_${term.id}`, label: term.name, value: String(term.factor), options: factors(term.factor, ui) })}</li>`,
    )}</ul>`,
  });
}

/** A factor that no one chooses here (0.5) stays a choice where it is in use. */
function factors(present: number, ui: Ui): Option[] {
  const { t } = ui;
  const known: Option[] = [
    ['0', t('virtual.leave_out')],
    ['1', t('virtual.add')],
    ['-1', t('virtual.subtract')],
  ];
  return known.some(([value]) => value === String(present))
    ? known
    : [...known, [String(present), t('virtual.times', { factor: present })]];
}

function removal(point: { id: string; name: string }, ui: Ui): Html {
  const { t } = ui;
  return html`<div>${askOnce(ui, {
    action: `/meters/${encodeURIComponent(point.id)}/remove`,
    label: t('virtual.remove', { name: point.name }),
    question: t('virtual.remove_ask', { name: point.name }),
    yes: t('virtual.remove_yes'),
    text: t('virtual.remove', { name: point.name }),
  })}</div>`;
}
