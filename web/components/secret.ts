/** Secrets that are shown once, and lines to copy. `static/copy.js` adds the copying. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { icon } from './icon.ts';
import { notice } from './parts.ts';

/** One value with a button that copies it. */
export function copyLine(ui: Ui, label: string, value: string): Html {
  return html`<div class="copy-line"><dt>${label}</dt><dd><code tabindex="0">${value}</code>${copyButton(ui, label, value)}</dd></div>`;
}

/** Several lines of a shell, to be pasted as they are. */
export function copyBlock(ui: Ui, label: string, text: string): Html {
  return html`<div class="copy-block"><div class="copy-head"><span>${label}</span>${copyButton(ui, label, text)}</div><pre tabindex="0">${text}</pre></div>`;
}

function copyButton(ui: Ui, label: string, value: string): Html {
  return html`<button type="button" class="quiet copy" data-copy="${value}" data-copied="${ui.t('once.copied')}" aria-label="${ui.t('once.copy')}: ${label}" hidden>${icon('copy')}<span>${ui.t('once.copy')}</span></button>`;
}

/** The warning above a secret. */
export function onceWarning(ui: Ui): Html {
  return notice('warning', ui.t('once.warning'));
}
