/** Small parts that the pages share. */
import { html } from 'hono/html';
import type { MeterRole } from '../../engine/model/site.ts';
import type { Html, Ui } from '../ui.ts';
import { icon, ROLE_ICONS } from './icon.ts';

export type State = 'ok' | 'warning' | 'fault' | 'unknown';
const STATE_ICONS: Record<State, string> = {
  ok: 'circle-check',
  warning: 'triangle-alert',
  fault: 'octagon-alert',
  unknown: 'circle-dashed',
};

/** A card with a heading. `size` is its share of a wide screen: full, two thirds, half or a third. */
export function card(input: {
  title: string | Html;
  content: Html;
  size?: 'full' | 'large' | 'half' | 'small';
  id?: string;
  /** At the end of the heading: a link or choice. */
  aside?: Html | string;
}): Html {
  const id = input.id ? html`id="${input.id}"` : '';
  return html`<section class="card ${input.size ?? 'full'}" ${id}>
<header><h2>${input.title}</h2>${input.aside ?? ''}</header>
${input.content}</section>`;
}

/** A state as icon and words; colour never alone. */
export function stateMark(state: State, text: string | Html): Html {
  return html`<span class="state ${state}">${icon(STATE_ICONS[state])}<span>${text}</span></span>`;
}

/** What an empty page says: what will be here, and the first step. */
export function emptyState(input: { title: string; text: string; icon: string; actions?: Html }): Html {
  return html`<section class="card full empty">${icon(input.icon)}<h2>${input.title}</h2><p>${input.text}</p>${
    input.actions ? html`<div class="actions">${input.actions}</div>` : ''
  }</section>`;
}

/** A notice within a page. */
export function notice(state: 'warning' | 'fault' | 'ok', content: string | Html): Html {
  return html`<div class="notice ${state}" role="${state === 'ok' ? 'status' : 'alert'}">${icon(STATE_ICONS[state])}<div>${content}</div></div>`;
}

export function roleIcon(ui: Ui, role: MeterRole): Html {
  return html`<span class="role ${role}">${icon(ROLE_ICONS[role], ui.t(`role.${role}`))}</span>`;
}

/** An instant in words that page.js keeps counting: `4 s ago`. */
export function age(ui: Ui, at_ms: number | null): Html {
  if (at_ms === null) return html`<span>${ui.t('common.never')}</span>`;
  return html`<time datetime="${new Date(at_ms).toISOString()}" data-age="${at_ms}">${ui.format.ago(at_ms, ui.now_ms)}</time>`;
}

/** A hidden field that shows the box that the form is ours. */
export function csrfField(ui: Ui): Html {
  return html`<input type="hidden" name="_csrf" value="${ui.csrf}">`;
}

/** A link that looks like a button. */
export function linkButton(href: string, text: string, kind: 'primary' | 'plain' = 'plain', iconName?: string): Html {
  return html`<a class="button ${kind}" href="${href}">${iconName ? icon(iconName) : ''}${text}</a>`;
}

/** A form field with its label, hint and error. */
export function field(input: {
  id: string;
  label: string;
  control: Html;
  hint?: string | null;
  error?: string | null;
}): Html {
  const hint = input.hint ? html`<p class="hint" id="${input.id}-hint">${input.hint}</p>` : '';
  const error = input.error
    ? html`<p class="error" id="${input.id}-error">${icon('octagon-alert')}${input.error}</p>`
    : '';
  return html`<div class="field"><label for="${input.id}">${input.label}</label>${input.control}${hint}${error}</div>`;
}
