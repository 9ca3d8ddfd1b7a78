/** Adding a meter by searching: which networks or bus, how far it is, and what was found. */
import { html } from 'hono/html';
import { checkControl, type FormState, type Option, selectControl, textControl } from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { layout } from '../../components/layout.ts';
import { card, csrfField, field, linkButton, notice } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';

export type FoundView = {
  id: string;
  vendor: string;
  model: string;
  serial: string;
  version: string;
  address: string;
  profile: { name: string; vendor: string; model: string } | null;
  /** Whether a person who knows the profile can go on from here. */
  is_modbus: boolean;
  found_by: 'modbus' | 'http' | 'mdns';
  known: { id: string; name: string } | null;
};
export type SearchView = {
  where: string;
  state: 'running' | 'done' | 'stopped' | 'failed';
  done: number;
  total: number;
  problem: string | null;
  reason: 'unreachable' | 'time_limit' | null;
  found: readonly FoundView[];
};
export type SearchPageView = {
  search: SearchView | null;
  form: FormState;
  suggested: readonly string[];
  problem: string | null;
};

export function searchPage(view: SearchPageView, ui: Ui): Html {
  const { t } = ui;
  const region = html`<div class="region wide-region" id="search" sse-swap="search" hx-swap="morph:innerHTML">${view.search ? searchPart(view.search, ui) : ''}</div>`;
  const told = view.problem ? notice('fault', view.problem) : '';
  return layout(ui, {
    title: t('search.title'),
    page: 'meters',
    content: html`${told}${region}${networkCard(view, ui)}${busCard(view, ui)}`,
    live: 'page=search',
    action: html`<a class="small" href="/meters/new">${t('add.another')}</a>`,
  });
}

function networkCard({ form, suggested }: SearchPageView, ui: Ui): Html {
  const { t } = ui;
  const ranges = form.values.ranges ?? suggested.join('\n');
  const described = form.errors.ranges ? 'ranges-hint ranges-error' : 'ranges-hint';
  const error = form.errors.confirmed
    ? html`<p class="error" id="confirmed-error">${icon('octagon-alert')}${form.errors.confirmed}</p>`
    : '';
  return card({
    title: t('search.network'),
    size: 'half',
    content: html`<form class="form" method="post" action="/meters/new/search">${csrfField(ui)}<input type="hidden" name="what" value="network"><p>${t('search.network_text')}</p>
${field({ id: 'ranges', label: t('search.ranges'), hint: t('search.ranges_hint'), error: form.errors.ranges ?? null, control: html`<textarea id="ranges" name="ranges" rows="3" spellcheck="false" aria-describedby="${described}">${ranges}</textarea>` })}
<div>${checkControl({ id: 'confirmed', label: t('search.confirm'), checked: form.values.confirmed !== undefined })}${error}</div>
<div class="actions"><button class="primary">${icon('radar')}${t('search.start')}</button></div></form>`,
  });
}

function busCard({ form }: SearchPageView, ui: Ui): Html {
  const { t } = ui;
  const kind = form.values.kind ?? 'modbus-tcp';
  const choice = (value: string, label: string) =>
    html`<label class="option"><input type="radio" name="kind" value="${value}" ${kind === value ? html`checked` : ''}>${label}</label>`;
  const number = (id: string, label: string, value: string) =>
    textControl(form, { id, label, value, inputmode: 'numeric' });
  const parities: Option[] = (['none', 'even', 'odd'] as const).map((each) => [each, t(`connection.parity_${each}`)]);
  return card({
    title: t('search.bus'),
    size: 'half',
    content: html`<form class="form" method="post" action="/meters/new/search" novalidate>${csrfField(ui)}<input type="hidden" name="what" value="bus"><p>${t('search.bus_text')}</p>
<div class="stack bus-kind"><div class="options" role="radiogroup" aria-label="${t('connection.kind')}">${choice('modbus-tcp', t('connection.modbus_tcp'))}${choice('modbus-rtu', t('connection.modbus_rtu'))}</div>
<div class="form-row when-tcp">${textControl(form, { id: 'host', label: t('connection.host') })}${number('port', t('connection.port'), '502')}</div>
<div class="when-tcp">${checkControl({ id: 'framing', label: t('connection.framing'), checked: form.values.framing === 'rtu', value: 'rtu' })}</div>
<div class="form-row when-rtu">${textControl(form, { id: 'path', label: t('connection.path'), hint: t('connection.path_hint') })}${number('baud', t('connection.baud'), '9600')}
${selectControl(form, { id: 'parity', label: t('connection.parity'), value: 'none', options: parities })}</div>
<div class="form-row">${number('from_unit', t('search.from_unit'), '1')}${number('to_unit', t('search.to_unit'), '247')}</div></div>
<div class="actions"><button>${icon('radar')}${t('search.start')}</button></div></form>`,
  });
}

/** The live region. */
export function searchPart(search: SearchView, ui: Ui): Html {
  const head =
    search.state === 'running'
      ? runningCard(search, ui)
      : search.state === 'failed'
        ? notice('fault', whyFailed(search, ui))
        : '';
  return html`${head}${foundCard(search, ui)}`;
}

function whyFailed({ reason, where, problem, done, total }: SearchView, { t, format }: Ui): string {
  if (reason === 'unreachable') return t('search.unreachable', { where, problem: problem ?? '' });
  if (reason === 'time_limit')
    return t('search.time_limit', { done: format.number(done), total: format.number(total) });
  return t('search.failed', { problem: problem ?? '' });
}

function runningCard({ where, done, total, found }: SearchView, ui: Ui): Html {
  const { t, format } = ui;
  const share = total === 0 ? null : Math.min(1, done / total);
  const counts = { done: format.number(done), total: format.number(total), found: format.number(found.length) };
  return card({
    title: t('search.running', { where }),
    content: html`<progress aria-label="${t('search.running', { where })}" max="1" ${share === null ? '' : html`value="${share.toFixed(3)}"`}></progress>
<p role="status">${t('search.progress', counts)}</p><p class="soft">${t('search.kept')}</p><noscript><p class="soft">${t('search.reload')}</p></noscript>
<form class="actions" method="post" action="/meters/new/search/stop">${csrfField(ui)}<button>${icon('square')}${t('search.stop')}</button></form>`,
  });
}

function foundCard({ state, where, done, total, found }: SearchView, ui: Ui): Html {
  const { t, format } = ui;
  const stopped =
    state === 'stopped'
      ? html`<p class="soft">${t('search.stopped', { done: format.number(done), total: format.number(total) })}</p>`
      : '';
  const none =
    state === 'failed'
      ? html`<p class="soft">${t('search.none_until_then')}</p>`
      : html`<p class="soft">${t(state === 'running' ? 'search.none_yet' : 'search.none')}</p>`;
  const list = html`<ul class="rows">${found.map((each) => foundRow(each, ui))}</ul>`;
  return card({
    title: state === 'running' || state === 'failed' ? t('search.found') : t('search.done', { where }),
    content: html`${stopped}${found.length === 0 ? none : list}`,
  });
}

function foundRow(found: FoundView, ui: Ui): Html {
  const { t } = ui;
  const name = [found.vendor, found.model].filter(Boolean).join(' ') || t('search.unknown');
  const facts = [
    found.address,
    found.serial && t('search.serial', { serial: found.serial }),
    found.version && t('search.version', { version: found.version }),
    found.found_by === 'mdns' && t('search.announced'),
  ].filter(Boolean);
  const profile = found.profile ? `${found.profile.vendor} ${found.profile.model}` : t('search.no_profile');
  const mark = profile === name ? '' : html`<span class="marks"><span class="badge">${profile}</span></span>`;
  return html`<li class="found"><div class="stack tight"><b>${name}</b><span class="soft small">${facts.join(' · ')}</span>${mark}</div><span class="actions">${foundAction(found, ui)}</span></li>`;
}

function foundAction({ id, profile, known, is_modbus }: FoundView, ui: Ui): Html | string {
  const { t } = ui;
  const query = `found=${encodeURIComponent(id)}`;
  if (known)
    return html`<a href="/devices/${encodeURIComponent(known.id)}">${known.name}</a> <span class="soft">${t('search.known')}</span>`;
  if (profile)
    return linkButton(`/meters/new?profile=${encodeURIComponent(profile.name)}&${query}`, t('search.add'), 'primary');
  return is_modbus ? linkButton(`/meters/new?${query}`, t('search.choose')) : '';
}
