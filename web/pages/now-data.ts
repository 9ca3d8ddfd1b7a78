/** The state of the data behind the page: silent meters first, then how old prices and forecast are. */
import { html } from 'hono/html';
import { age, card, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { DataState } from './now.ts';

export function dataCard(data: DataState, ui: Ui): Html {
  const { t } = ui;
  const summary = t('now.meters_live', { live: data.live, total: data.total });
  const isWell = data.silent.length === 0;
  return card({
    title: t('now.data'),
    aside: html`<a class="small" href="/meters">${t('now.all_meters')}</a>`,
    content: html`<ul class="rows">
${data.silent.map(
  (meter) =>
    html`<li><span>${stateMark(meter.state, meter.name)}</span><a href="/meters/${encodeURIComponent(meter.id)}">${meter.text}</a></li>`,
)}
${isWell ? html`<li>${stateMark('ok', summary)}</li>` : html`<li class="soft">${summary}</li>`}
${data.pending ? html`<li class="soft">${t('common.gathering')}</li>` : html`<li>${priceState(data, ui)}</li><li>${forecastState(data, ui)}</li>`}
</ul>`,
  });
}

function priceState({ prices }: DataState, ui: Ui): Html {
  const { t, format } = ui;
  if (prices.kind === 'fixed') return stateMark('ok', t('now.prices_fixed'));
  if (prices.kind === 'none') return stateMark('unknown', t('now.prices_none'));
  if (prices.kind === 'stale')
    return stateMark('warning', t('now.prices_stale', { since: format.when(prices.since_ms, ui.now_ms) }));
  const until = format.until(prices.until_ms, ui.now_ms);
  return stateMark('ok', t('now.prices_fresh', { until, age: format.ago(prices.fetched_ms, ui.now_ms) }));
}

function forecastState({ forecast }: DataState, ui: Ui): Html {
  if (!forecast) return stateMark('unknown', ui.t('now.forecast_none'));
  return stateMark('ok', ui.rich('now.forecast_made', { age: age(ui, forecast.made_ms), model: forecast.model }));
}
