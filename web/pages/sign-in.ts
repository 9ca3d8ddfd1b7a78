/** Sign-in: two fields, one button, and what to do when it does not work. */
import { html } from 'hono/html';
import { layout, preferences } from '../components/layout.ts';
import { csrfField, field, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type SignInView = {
  login: string;
  /** Where to go afterwards: a path of ours. */
  next: string;
  problem: { kind: 'wrong' } | { kind: 'lost' } | { kind: 'wait'; seconds: number } | null;
  /** True while nobody has set the box up: then there is nobody to sign in. */
  not_set_up: boolean;
};

export function signInPage(view: SignInView, ui: Ui): Html {
  const content = html`<section class="card entry">
${view.not_set_up ? notice('warning', ui.t('sign_in.not_set_up')) : ''}
${view.problem ? notice('fault', problemText(view.problem, ui)) : ''}
<form class="form" method="post" action="/sign-in">
${csrfField(ui)}<input type="hidden" name="next" value="${view.next}">
${field({ id: 'login', label: ui.t('sign_in.login'), control: html`<input id="login" name="login" value="${view.login}" autocomplete="username" autocapitalize="none" spellcheck="false" required ${view.login ? '' : html`autofocus`}>` })}
${field({ id: 'password', label: ui.t('sign_in.password'), control: html`<input id="password" name="password" type="password" autocomplete="current-password" required ${view.login ? html`autofocus` : ''}>` })}
<div class="actions"><button class="primary">${ui.t('sign_in.submit')}</button></div>
</form>
<p class="small soft">${ui.t('sign_in.forgotten')}</p>
</section>`;
  return layout(ui, { title: ui.t('sign_in.title'), page: null, content, action: preferences(ui) });
}

function problemText(problem: NonNullable<SignInView['problem']>, ui: Ui): string {
  return problem.kind === 'wait' ? ui.t('sign_in.wait', { seconds: problem.seconds }) : ui.t('sign_in.wrong');
}
