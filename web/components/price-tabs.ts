/** The tabs of what energy costs: prices, the tariff, the bill. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';

const TABS = [
  { name: 'prices', path: '/prices' },
  { name: 'tariff', path: '/tariff' },
  { name: 'bill', path: '/bill' },
] as const;

export function priceTabs(ui: Ui, here: (typeof TABS)[number]['name']): Html {
  return html`<nav class="choice tabs" aria-label="${ui.t('tariff.tabs')}">${TABS.map(
    ({ name, path }) =>
      html`<a href="${path}" ${name === here ? html`aria-current="page"` : ''}>${ui.t(`tariff.tab_${name}`)}</a>`,
  )}</nav>`;
}
