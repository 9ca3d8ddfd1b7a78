/** The second step of the sign-in: the code of the app, or a recovery code. */
import { html } from 'hono/html';
import { layout, preferences } from '../components/layout.ts';
import { csrfField, field, linkButton, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { SignInView } from './sign-in.ts';

export type CodeView = {
  /** What the first step gave. */
  ticket: string;
  /** Where to go afterwards: a path of ours. */
  next: string;
  problem: SignInView['problem'];
};

export function codePage(view: CodeView, ui: Ui): Html {
  const { t } = ui;
  const content = html`<section class="card entry">
${view.problem ? notice('fault', problemWords(view.problem, ui)) : ''}
<p>${t('sign_in.code_lead')}</p>
<form class="form" method="post" action="/sign-in/code">
${csrfField(ui)}<input type="hidden" name="ticket" value="${view.ticket}"><input type="hidden" name="next" value="${view.next}">
${field({ id: 'code', label: t('sign_in.code'), hint: t('sign_in.code_hint'), control: html`<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required autofocus aria-describedby="code-hint">` })}
<div class="actions"><button class="primary">${t('sign_in.submit')}</button>${linkButton('/sign-in', t('sign_in.code_back'))}</div>
</form>
</section>`;
  return layout(ui, { title: t('sign_in.code_title'), page: null, content, action: preferences(ui) });
}

function problemWords(problem: NonNullable<SignInView['problem']>, { t }: Ui): string {
  if (problem.kind === 'wait') return t('sign_in.wait', problem);
  return t(problem.kind === 'lost' ? 'sign_in.code_lost' : 'sign_in.code_wrong');
}
