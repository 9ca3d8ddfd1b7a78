/** A device that is read once before it is saved: the button, and what came of it. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { icon } from './icon.ts';
import { notice } from './parts.ts';
import { quantityName } from './quantity.ts';

export type TestView = {
  ok: boolean;
  problem: string | null;
  firmware: string | null;
  took_ms: number;
  values: readonly { channel: string; quantity: string; value: number; unit: string; raw: string }[];
};

/** For the inside of the form that holds the connection; `action` answers with the part alone to htmx. */
export function testBlock(
  ui: Ui,
  input: {
    action: string;
    text: string;
    label: string;
    result: TestView | null;
    /** Reads as soon as the page is there: what was found answers already. */
    at_once?: boolean;
  },
): Html {
  const trigger = input.at_once ? html`hx-trigger="load, click"` : '';
  return html`<div class="stack test-read"><p class="soft">${input.text}</p>
<div class="actions"><button name="do" value="test" formaction="${input.action}" formnovalidate hx-post="${input.action}" hx-target="#test-result" hx-indicator="#testing" hx-disabled-elt="this" ${trigger}>${icon('flask-conical')}${input.label}</button>
<span class="soft small indicator" id="testing" role="status"><span>${ui.t('add.testing')}</span></span></div>
<div id="test-result" aria-live="polite">${input.result ? testResult(input.result, ui) : ''}</div></div>`;
}

/** What came of the test, alone for htmx. */
export function testResult(test: TestView, ui: Ui): Html {
  const { t } = ui;
  const several = new Set(test.values.map(({ channel }) => channel)).size > 1;
  if (test.values.length === 0) {
    const text = test.problem ?? t('add.test_bad');
    return test.ok ? notice('ok', text) : notice('fault', html`<b>${t('add.test_bad')}</b> ${text}`);
  }
  const took = ui.format.value(test.took_ms / 1000, 's');
  const words = [
    t('add.test_good', { n: test.values.length, took }),
    test.firmware ? t('add.test_firmware', { version: test.firmware }) : '',
  ];
  return html`${notice('ok', words.filter(Boolean).join(' '))}${test.problem ? notice('warning', test.problem) : ''}
<div class="scroll" tabindex="0" role="region" aria-label="${t('add.test')}"><table class="values"><thead><tr>${several ? html`<th scope="col">${t('add.channel')}</th>` : ''}<th scope="col">${t('add.quantity')}</th><th scope="col" class="numbers">${t('add.value')}</th><th scope="col">${t('add.raw')}</th></tr></thead>
<tbody>${test.values.map((each) => html`<tr>${several ? html`<td>${each.channel}</td>` : ''}<th scope="row">${quantityName(ui, each.quantity)}</th><td class="numbers"><b>${exact(each.value, each.unit, ui)}</b></td><td><code class="raw">${each.raw}</code></td></tr>`)}</tbody></table></div>`;
}

/** All digits that were decoded, to compare with a display. */
function exact(value: number, unit: string, ui: Ui): string {
  const text = new Intl.NumberFormat(ui.format.locale, { maximumFractionDigits: 3 }).format(value);
  return unit === '' || unit === 'ratio' ? text : `${text}\u00a0${unit}`;
}
