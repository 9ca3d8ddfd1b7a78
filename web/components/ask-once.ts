/** A destructive act that asks once, naming what goes; works without JavaScript. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { icon } from './icon.ts';
import { csrfField } from './parts.ts';

/** `label` names the act for screen readers; `text`, where given, stands visibly on the button beside the icon. */
export function askOnce(
  ui: Ui,
  input: { action: string; label: string; question: string; yes: string; icon?: string; text?: string; more?: Html },
): Html {
  const said = input.text ? html`<span aria-hidden="true">${input.text}</span>` : '';
  return html`<details class="ask-once"><summary class="button ${input.text ? '' : 'quiet'}">${icon(input.icon ?? 'trash-2')}${said}<span class="unseen">${input.label}</span></summary>
<form method="post" action="${input.action}" class="stack">${csrfField(ui)}<p>${input.question}</p>${input.more ?? ''}<div class="actions"><button class="danger">${input.yes}</button></div></form></details>`;
}
