/** Admin, people: who may sign in, and as what. */
import { html } from 'hono/html';
import type { Role } from '../../../engine/model/site.ts';
import { askOnce } from '../../components/ask-once.ts';
import {
  checkControl,
  EMPTY_FORM,
  type FormState,
  type Option,
  selectControl,
  textControl,
} from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { card, csrfField } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

export type PersonRow = {
  id: string;
  login: string;
  name: string;
  role: Role;
  language: 'en' | 'de';
  disabled: boolean;
  last_sign_in_ms: number | null;
  second_factor: boolean;
  /** Whether it is the reader. */
  is_you: boolean;
};
export type PeopleView = {
  people: readonly PersonRow[];
  /** Roles whose people must have a second factor. */
  demanded: readonly Role[];
  add: FormState;
  told: Told;
};

const ROLES: readonly Role[] = ['user', 'analyst', 'admin'];
const LANGUAGES: readonly Option[] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
];

export function roleOptions(ui: Ui): Option[] {
  return ROLES.map((role) => [role, ui.t(`people.role_${role}`)] as const);
}

export function peoplePage(view: PeopleView, ui: Ui): Html {
  const { t } = ui;
  const content = html`${card({ title: `${t('people.title')} (${view.people.length})`, content: html`<ul class="rows">${view.people.map((person) => row(person, ui))}</ul>` })}
${card({ title: t('people.add'), size: 'large', id: 'add', content: addForm(view.add, ui) })}
${card({ title: t('people.roles_title'), size: 'small', content: rolesList(ui) })}
${card({ title: t('people.demand_title'), id: 'demand', content: demandForm(view.demanded, ui) })}`;
  return adminPage(ui, 'people', content, { told: view.told });
}

function row(person: PersonRow, ui: Ui): Html {
  const { t, format } = ui;
  const last =
    person.last_sign_in_ms === null
      ? t('people.last_never')
      : t('people.last', { when: format.when(person.last_sign_in_ms, ui.now_ms) });
  const marks = html`<span class="badge">${t(`people.role_${person.role}`)}</span>${person.is_you ? html` <span class="badge">${t('people.you')}</span>` : ''}${person.second_factor ? html` <span class="badge">${icon('shield-check')}${t('people.second_factor')}</span>` : ''}${person.disabled ? html` <span class="badge">${icon('ban')}${t('people.state_disabled')}</span>` : ''}`;
  return html`<li><details class="edit"><summary><span class="stack tight"><span><b>${person.name}</b> ${person.name === person.login ? '' : html`<span class="soft">${person.login}</span>`} ${marks}</span><span class="soft small">${last}</span></span>
<span class="edit-sign">${icon('pencil')}<span>${t('people.change_short')}</span></span></summary>
<div class="edit-body">${changeForm(person, ui)}${person.second_factor && !person.is_you ? codeReset(person, ui) : ''}${person.is_you ? '' : removal(person, ui)}</div></details></li>`;
}

function changeForm(person: PersonRow, ui: Ui): Html {
  const { t } = ui;
  const id = (name: string) => `${name}-${person.id}`;
  return html`<form class="form" method="post" action="/admin/people/${person.id}">${csrfField(ui)}
<div class="form-row">${textControl(EMPTY_FORM, { id: id('name'), name: 'name', label: t('people.name'), value: person.name, required: true })}
${selectControl(EMPTY_FORM, { id: id('role'), name: 'role', label: t('people.role'), value: person.role, options: roleOptions(ui) })}
${selectControl(EMPTY_FORM, { id: id('language'), name: 'language', label: t('people.language'), value: person.language, options: LANGUAGES })}</div>
<div class="form-row">${textControl(EMPTY_FORM, { id: id('password'), name: 'password', label: t('people.new_password'), type: 'password', autocomplete: 'new-password', hint: t('people.new_password_hint') })}
${checkControl({ id: id('disabled'), name: 'disabled', label: t('people.disabled'), checked: person.disabled, hint: t('people.disabled_hint') })}</div>
<div class="actions"><button class="primary">${t('people.save')}</button></div></form>`;
}

function removal(person: PersonRow, ui: Ui): Html {
  return askOnce(ui, {
    action: `/admin/people/${person.id}/remove`,
    label: ui.t('people.remove', { name: person.name }),
    question: ui.t('people.remove_ask', { name: person.name }),
    yes: ui.t('people.remove_yes'),
    text: ui.t('people.remove_short'),
  });
}

function codeReset(person: PersonRow, ui: Ui): Html {
  return askOnce(ui, {
    action: `/admin/people/${person.id}/second-factor/remove`,
    label: ui.t('people.second_factor_reset', { name: person.name }),
    question: ui.t('people.second_factor_reset_ask', { name: person.name }),
    yes: ui.t('people.second_factor_reset_yes'),
    text: ui.t('people.second_factor_reset_short'),
  });
}

function demandForm(demanded: readonly Role[], ui: Ui): Html {
  const { t } = ui;
  const box = (role: Role) =>
    checkControl({
      ...{ id: `demand-${role}`, name: role, label: t(`people.role_${role}`), checked: demanded.includes(role) },
    });
  return html`<p class="soft">${t('people.demand_lead')}</p><form class="form" method="post" action="/admin/people/second-factor">${csrfField(ui)}
<div class="form-row">${ROLES.map(box)}</div><div class="actions"><button class="primary">${t('people.demand_save')}</button></div></form>`;
}

function addForm(form: FormState, ui: Ui): Html {
  const { t } = ui;
  return html`<form class="form" method="post" action="/admin/people" novalidate autocomplete="off">${csrfField(ui)}
<div class="form-row">${textControl(form, { id: 'login', label: t('people.login'), autocomplete: 'off' })}
${textControl(form, { id: 'name', label: t('people.name'), autocomplete: 'off' })}</div>
<div class="form-row">${selectControl(form, { id: 'role', label: t('people.role'), value: 'user', options: roleOptions(ui) })}
${selectControl(form, { id: 'language', label: t('people.language'), value: ui.language, options: LANGUAGES })}</div>
${textControl(form, { id: 'password', label: t('people.password'), type: 'password', autocomplete: 'new-password', hint: t('people.password_hint') })}
<div class="actions"><button class="primary">${icon('user-plus')}${t('people.submit')}</button></div></form>`;
}

function rolesList(ui: Ui): Html {
  return html`<dl class="stack">${ROLES.map((role) => html`<div><dt><b>${ui.t(`people.role_${role}`)}</b></dt><dd class="soft">${ui.t(`people.role_${role}_text`)}</dd></div>`)}</dl>`;
}
