/** Set-up: who, where, what energy costs, and one of two ways to start. Keeps what was typed when something is wrong. */
import { html } from 'hono/html';
import { layout, preferences } from '../components/layout.ts';
import { csrfField, emptyState, field, linkButton, notice } from '../components/parts.ts';
import { type SiteForm, siteFields } from '../components/site-form.ts';
import type { Html, Ui } from '../ui.ts';

export type SetupView = SiteForm & {
  /** The one-time token for the first admin; null when an admin only adds the site. */
  token: string | null;
  /** True where the site is there already (the demo, or the command line made it): then only the account is asked for. */
  has_site: boolean;
  /** What the services said, when it belongs to no field. */
  problem: string | null;
};

export function setupPage(view: SetupView, ui: Ui): Html {
  const first = view.token !== null;
  const hasFaults = Object.keys(view.errors).length > 0;
  const content = html`<form class="card entry wide form" method="post" action="/setup" novalidate>
<p class="soft">${ui.t(first ? 'setup.lead' : 'setup.site_lead')}</p>
${hasFaults ? notice('fault', ui.t('setup.faults')) : view.problem ? notice('fault', view.problem) : ''}
${csrfField(ui)}${first ? html`<input type="hidden" name="token" value="${view.token}">` : ''}
${first ? accountFields(view, ui) : ''}
${view.has_site ? '' : siteFields(view, ui)}
${view.has_site ? html`<div class="actions"><button class="primary">${ui.t('setup.go_on')}</button></div>` : startButtons(first, ui)}
</form>`;
  return layout(ui, {
    title: ui.t(first ? 'setup.title' : 'setup.site_title'),
    page: null,
    content,
    action: preferences(ui),
    scripts: ['setup.js'],
  });
}

function startButtons(first: boolean, ui: Ui): Html {
  return html`<div class="actions"><button class="primary" name="start" value="empty">${ui.t(first ? 'setup.start_empty' : 'setup.save')}</button>
<button name="start" value="demo">${ui.t('setup.start_demo')}</button></div>
<p class="small soft">${ui.t('setup.demo_hint')}</p>`;
}

function accountFields(view: SetupView, ui: Ui): Html {
  const input = (id: string, label: string, type: string, autocomplete: string, hint?: string) =>
    field({
      id,
      label,
      hint: hint ?? null,
      error: view.errors[id] ?? null,
      control: html`<input id="${id}" name="${id}" type="${type}" value="${type === 'password' ? '' : (view.values[id] ?? '')}" autocomplete="${autocomplete}" autocapitalize="none" spellcheck="false" ${view.errors[id] ? html`aria-invalid="true" aria-describedby="${id}-error"` : ''}>`,
    });
  return html`<fieldset class="form"><legend><h2>${ui.t('setup.you')}</h2></legend>
<div class="form-row">${input('login', ui.t('setup.login'), 'text', 'username')}${input('password', ui.t('setup.password'), 'password', 'new-password', ui.t('setup.password_hint'))}${input('password_again', ui.t('setup.password_again'), 'password', 'new-password')}</div>
</fieldset>`;
}

/** A link that was used or is mistyped. */
export function badTokenPage(ui: Ui): Html {
  const content = emptyState({
    title: ui.t('setup.bad_token'),
    text: ui.t('setup.bad_token_text'),
    icon: 'link-2-off',
    actions: linkButton('/sign-in', ui.t('sign_in.title'), 'primary'),
  });
  return layout(ui, { title: ui.t('setup.title'), page: null, content });
}
