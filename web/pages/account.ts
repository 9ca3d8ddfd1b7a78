/** One's own account: password and second factor. */
import { html } from 'hono/html';
import { EMPTY_FORM, type FormState, textControl } from '../components/controls.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, field, linkButton, notice, stateMark } from '../components/parts.ts';
import { copyBlock, copyLine, onceWarning } from '../components/secret.ts';
import type { Html, Ui } from '../ui.ts';

export type AccountView = {
  login: string;
  /** The role demands a second factor that is not there yet. */
  needs_code: boolean;
  since_ms: number | null;
  recovery_left: number;
  /** No code of the app is taken any more. */
  is_lost: boolean;
  /** While it is being set up; `picture` is a QR code as SVG. */
  setup: { seed: string; picture: Html } | null;
  /** New recovery codes, shown once. */
  codes: readonly string[] | 'gone' | null;
  saved: boolean;
  problem: string | null;
  errors: FormState['errors'];
};

export function accountPage(view: AccountView, ui: Ui): Html {
  const { t } = ui;
  const content = html`${view.saved ? notice('ok', t('account.saved')) : ''}${view.problem ? notice('fault', view.problem) : ''}
${view.needs_code ? notice('warning', t('account.code_needed')) : ''}${view.codes === null ? '' : codesCard(view.codes, ui)}
${card({ title: t('account.code_title'), size: 'half', id: 'second-factor', content: secondFactor(view, ui) })}
${card({ title: t('account.password_title'), size: 'half', content: passwordForm(view, ui) })}`;
  return layout(ui, { title: t('account.title'), page: null, content, scripts: ['copy.js'] });
}

function codesCard(codes: readonly string[] | 'gone', ui: Ui): Html {
  const { t } = ui;
  if (codes === 'gone') return card({ title: t('once.gone_title'), content: html`<p>${t('once.gone')}</p>` });
  const content = html`${onceWarning(ui)}<p>${t('account.codes_lead')}</p>${copyBlock(ui, t('account.codes_copy'), codes.join('\n'))}
<div class="actions">${linkButton('/account', t('once.done'), 'primary')}</div>`;
  return card({ title: t('account.codes_title'), content });
}

function secondFactor(view: AccountView, ui: Ui): Html {
  const { t } = ui;
  if (view.since_ms !== null) return whileOn({ ...view, since_ms: view.since_ms }, ui);
  if (view.setup) return beingSetUp(view.login, view.setup, ui);
  return html`<p>${t('account.code_off')}</p>
<form class="form" method="post" action="/account/second-factor/begin">${csrfField(ui)}
${presentPassword('begin', ui)}<div class="actions"><button class="primary">${t('account.code_begin')}</button></div></form>`;
}

function beingSetUp(login: string, setup: NonNullable<AccountView['setup']>, ui: Ui): Html {
  const { t } = ui;
  const code = html`<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" required>`;
  return html`<p>${t('account.code_scan')}</p>
<div class="qr" role="img" aria-label="${t('account.code_picture')}">${setup.picture}</div>
<dl class="stack">${copyLine(ui, t('account.code_account'), `Luna: ${login}`)}${copyLine(ui, t('account.code_secret'), setup.seed)}
<div class="copy-line"><dt>${t('account.code_kind')}</dt><dd>${t('account.code_kind_text')}</dd></div></dl>
<form class="form" method="post" action="/account/second-factor/confirm">${csrfField(ui)}
${field({ id: 'code', label: t('account.code_first'), control: code })}
<div class="actions"><button class="primary">${t('account.code_confirm')}</button></div></form>`;
}

function whileOn(view: AccountView & { since_ms: number }, ui: Ui): Html {
  const { t } = ui;
  const few = view.recovery_left <= 2 ? 'warning' : 'ok';
  return html`${view.is_lost ? notice('warning', t('account.code_lost')) : ''}<p>${stateMark('ok', t('account.code_on', { when: ui.format.when(view.since_ms, ui.now_ms) }))}</p>
<p>${stateMark(few, t('account.code_left', { n: view.recovery_left }))}</p>
<form class="form" method="post" action="/account/second-factor/codes">${csrfField(ui)}
${presentPassword('change', ui)}<p class="hint">${t('account.code_confirm_with')}</p>
<div class="actions"><button>${t('account.code_renew')}</button><button formaction="/account/second-factor/remove">${t('account.code_remove')}</button></div></form>`;
}

function presentPassword(id: string, ui: Ui): Html {
  return textControl(EMPTY_FORM, {
    ...{ id: `present-${id}`, name: 'present', label: ui.t('account.present') },
    ...{ type: 'password', autocomplete: 'current-password', required: true },
  });
}

function passwordForm(view: AccountView, ui: Ui): Html {
  const { t } = ui;
  const form = { values: {}, errors: view.errors };
  return html`<form class="form" method="post" action="/account/password">${csrfField(ui)}
${presentPassword('password', ui)}
${textControl(form, { id: 'password', label: t('account.new'), type: 'password', autocomplete: 'new-password', hint: t('account.password_hint'), required: true })}
${textControl(form, { id: 'password_again', label: t('account.again'), type: 'password', autocomplete: 'new-password', required: true })}
<div class="actions"><button class="primary">${t('account.password_save')}</button></div></form>`;
}
