/** The frame of every page: list of pages, title line, demo ribbon, connection notice, content. */
import { html } from 'hono/html';
import type { Html, Theme, Ui } from '../ui.ts';
import { icon } from './icon.ts';

export type PageName =
  | 'now'
  | 'meters'
  | 'prices'
  | 'forecasts'
  | 'plan'
  | 'advice'
  | 'ask'
  | 'documents'
  | 'alerts'
  | 'admin';

const PAGES: readonly { name: PageName; path: string; icon: string }[] = [
  { name: 'now', path: '/', icon: 'zap' },
  { name: 'meters', path: '/meters', icon: 'gauge' },
  { name: 'prices', path: '/prices', icon: 'coins' },
  { name: 'forecasts', path: '/forecasts', icon: 'chart-line' },
  { name: 'plan', path: '/plan', icon: 'calendar-check' },
  { name: 'advice', path: '/advice', icon: 'lightbulb' },
  { name: 'ask', path: '/ask', icon: 'message-circle-question-mark' },
  { name: 'documents', path: '/documents', icon: 'file-text' },
  { name: 'alerts', path: '/alerts', icon: 'bell' },
  { name: 'admin', path: '/admin', icon: 'settings' },
];
const IN_THE_BAR = 4;

export type LayoutInput = {
  title: string;
  /** Which entry of the list is marked; null for none (errors, sign-in). */
  page: PageName | null;
  content: Html;
  /** The newest instant of the data shown, for the title line. */
  as_of_ms?: number | null;
  /** Query of /stream for live updates, e.g. `page=now`. Without it the page does not update itself. */
  live?: string;
  /** Modules of web/static and style sheets beyond the common ones, by name. */
  scripts?: readonly string[];
  styles?: readonly string[];
  /** Beside the title: the page's main action. */
  action?: Html;
};

const HTMX = JSON.stringify({
  includeIndicatorStyles: false,
  allowEval: false,
  historyCacheSize: 0,
  historyEnabled: false,
  selfRequestsOnly: true,
  scrollIntoViewOnBoost: false,
});

/** A whole page. */
export function layout(ui: Ui, input: LayoutInput): Html {
  const title = [input.title, ui.site?.name, 'Luna'].filter(Boolean).join(' · ');
  const stream = input.live ? html`hx-ext="sse,morph" sse-connect="/stream?${input.live}"` : '';
  return html`<!doctype html>
<html lang="${ui.language}" data-theme="${ui.theme}" data-ago="${ui.t('common.ago', { age: '{age}' })}" data-zone="${ui.time_zone}" data-now="${ui.now_ms}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="htmx-config" content="${HTMX}">
<title>${title}</title>
<link rel="icon" href="${ui.asset('luna.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${ui.asset('luna.css')}">
${(input.styles ?? []).map((name) => html`<link rel="stylesheet" href="${ui.asset(name)}">`)}
<script src="${ui.asset('htmx.js')}" defer></script>
<script src="${ui.asset('idiomorph.js')}" defer></script>
<script src="${ui.asset('htmx-sse.js')}" defer></script>
<script type="module" src="${ui.asset('page.js')}"></script>
${(input.scripts ?? []).map((name) => html`<script type="module" src="${ui.asset(name)}"></script>`)}
</head>
<body hx-headers="${JSON.stringify({ 'X-CSRF-Token': ui.csrf })}">
<a class="skip" href="#content">${ui.t('layout.skip')}</a>
<div class="frame" ${stream}>
${input.page === null && !ui.actor ? '' : sideList(ui, input.page)}
<div class="column">
<header class="top">${ui.demo ? demoRibbon(ui) : ''}
${connectionNotice(ui)}${clockNotice(ui)}
${titleLine(ui, input)}</header>
<main id="content" tabindex="-1">${input.content}</main>
</div>
${input.page === null && !ui.actor ? '' : bottomBar(ui, input.page)}
</div>
</body>
</html>`;
}

function visiblePages(ui: Ui) {
  return PAGES.filter((page) => page.name !== 'admin' || ui.actor?.role === 'admin');
}

function pageLink(ui: Ui, entry: (typeof PAGES)[number], current: PageName | null): Html {
  const here = entry.name === current ? html`aria-current="page"` : '';
  return html`<a href="${entry.path}" ${here}>${icon(entry.icon)}<span>${ui.t(`page.${entry.name}`)}</span></a>`;
}

function sideList(ui: Ui, current: PageName | null): Html {
  return html`<aside class="side" aria-label="Luna">
<a class="brand" href="/">${icon('moon')}<span>Luna</span></a>
<nav aria-label="${ui.t('layout.pages')}">${visiblePages(ui).map((entry) => pageLink(ui, entry, current))}</nav>
<div class="side-foot">${preferences(ui)}${person(ui)}</div>
</aside>`;
}

function bottomBar(ui: Ui, current: PageName | null): Html {
  const pages = visiblePages(ui);
  const rest = pages.slice(IN_THE_BAR);
  const inRest = rest.some((entry) => entry.name === current);
  return html`<nav class="bar" aria-label="${ui.t('layout.pages')}">
${pages.slice(0, IN_THE_BAR).map((entry) => pageLink(ui, entry, current))}
<details class="more"><summary ${inRest ? html`data-current` : ''}>${icon('ellipsis')}<span>${ui.t('layout.more')}</span></summary>
<div class="more-list">${rest.map((entry) => pageLink(ui, entry, current))}${preferences(ui)}${person(ui)}</div>
</details>
</nav>`;
}

const THEMES: readonly {
  theme: Theme;
  icon: string;
  text: 'layout.theme_system' | 'layout.theme_light' | 'layout.theme_dark';
}[] = [
  { theme: 'system', icon: 'monitor', text: 'layout.theme_system' },
  { theme: 'light', icon: 'sun', text: 'layout.theme_light' },
  { theme: 'dark', icon: 'moon', text: 'layout.theme_dark' },
];
const LANGUAGE_NAMES = { en: 'English', de: 'Deutsch' } as const;

/** Language and appearance, one click each; works without JavaScript. */
export function preferences(ui: Ui): Html {
  return html`<form class="preferences" method="post" action="/preferences">
<input type="hidden" name="_csrf" value="${ui.csrf}"><input type="hidden" name="return" value="${ui.path}">
<fieldset class="choice"><legend class="unseen">${ui.t('layout.language')}</legend>
${(['en', 'de'] as const).map(
  (language) =>
    html`<button name="language" value="${language}" lang="${language}" aria-pressed="${String(language === ui.language)}" title="${LANGUAGE_NAMES[language]}">${language.toUpperCase()}</button>`,
)}</fieldset>
<fieldset class="choice"><legend class="unseen">${ui.t('layout.theme')}</legend>
${THEMES.map(
  (entry) =>
    html`<button name="theme" value="${entry.theme}" aria-pressed="${String(entry.theme === ui.theme)}" aria-label="${ui.t(entry.text)}" title="${ui.t(entry.text)}">${icon(entry.icon)}</button>`,
)}</fieldset>
</form>`;
}

function person(ui: Ui): Html | string {
  if (!ui.actor)
    return html`<a class="person" href="/sign-in">${icon('user')}<span>${ui.t('layout.sign_in')}</span></a>`;
  return html`<form class="person" method="post" action="/sign-out">
<input type="hidden" name="_csrf" value="${ui.csrf}">
<a class="person-name" href="/account" title="${ui.t('layout.signed_in_as', { name: ui.actor.name })}">${icon('user')}<span>${ui.actor.name}</span></a>
<button class="quiet" aria-label="${ui.t('layout.sign_out')}" title="${ui.t('layout.sign_out')}">${icon('log-out')}</button>
</form>`;
}

function demoRibbon(ui: Ui): Html {
  const leave =
    ui.actor?.role === 'admin'
      ? html`<form method="post" action="/demo/stop"><input type="hidden" name="_csrf" value="${ui.csrf}"><button class="quiet">${ui.t('layout.leave_demo')}</button></form>`
      : '';
  return html`<div class="ribbon" role="note"><p>${ui.t('layout.demo')}</p>${leave}</div>`;
}

/** Shown by page.js once the live connection is gone, hidden again when it is back. */
function connectionNotice(ui: Ui): Html {
  const text = ui.t('layout.connection_lost', { time: '{time}' });
  return html`<div class="notice warning" id="connection" role="status" data-text="${text}" hidden>${icon('wifi-off')}<p></p></div>`;
}

/** What is shown is by a time that nobody vouches for. An admin can say that the clock is right. */
function clockNotice(ui: Ui): Html | string {
  if (!ui.clock || !ui.actor) return '';
  const { t, format } = ui;
  const when = (at_ms: number) => `${format.longDate(at_ms)} ${format.time(at_ms)}`;
  const text = t('layout.clock', { clock: when(ui.clock.wall_ms), believed: when(ui.clock.believed_ms) });
  const button =
    ui.actor.role === 'admin'
      ? html`<form method="post" action="/admin/clock"><input type="hidden" name="_csrf" value="${ui.csrf}"><button>${t('layout.clock_right')}</button></form>`
      : '';
  return html`<div class="notice warning" role="alert">${icon('triangle-alert')}<div><p>${text}</p>${button}</div></div>`;
}

function titleLine(ui: Ui, input: LayoutInput): Html {
  const { t } = ui;
  const live = input.live ? html`sse-swap="as-of" hx-swap="morph:innerHTML"` : '';
  const as_of =
    input.as_of_ms === undefined || input.as_of_ms === null
      ? ''
      : html`<span id="as-of" ${live}>${asOf(ui, input.as_of_ms)}</span> <span aria-hidden="true">·</span> `;
  return html`<div class="title-line">
<div><p class="site">${ui.site ? `${ui.site.name}${ui.site.place ? `, ${ui.site.place}` : ''}` : 'Luna'}</p><h1>${input.title}</h1></div>
<div class="title-end"><p class="as-of">${as_of}${ui.site ? t('layout.zone', { zone: ui.time_zone.replaceAll('_', ' ') }) : ''}</p>${input.action ?? ''}</div>
</div>`;
}

/** The instant of the newest data, as the region `as-of` of a live page. */
export function asOf(ui: Ui, at_ms: number): Html {
  return html`<span>${ui.t('layout.as_of', { time: ui.format.when(at_ms, ui.now_ms) })}</span>`;
}
