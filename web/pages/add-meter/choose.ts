/** Adding a meter, first step: which device it is, or which other way. */
import { html } from 'hono/html';
import { icon } from '../../components/icon.ts';
import { layout } from '../../components/layout.ts';
import { card, linkButton, notice } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';

export type ProfileChoice = {
  name: string;
  vendor: string;
  model: string;
  transport: 'mqtt' | 'modbus' | 'http';
  verified: boolean;
};
export type ChooseView = {
  profiles: readonly ProfileChoice[];
  search: string;
  /** The finding of a search whose profile is looked for. */
  found: { id: string; address: string } | null;
};

export function chooseMeterPage(view: ChooseView, ui: Ui): Html {
  const { t } = ui;
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = view.profiles.filter((profile) => words.every((word) => wordsOf(profile).includes(word)));
  const kept = view.found ? html`<input type="hidden" name="found" value="${view.found.id}">` : '';
  const told = view.found ? notice('ok', t('search.choose_for', { address: view.found.address })) : '';
  const list = html`${told}<form class="ask-row" method="get" action="/meters/new" role="search">${kept}<input type="search" id="find" name="q" value="${view.search}" placeholder="${t('add.search')}" aria-label="${t('add.search')}" data-find="#profiles" autocomplete="off" autofocus><button>${t('add.search_submit')}</button></form>
<ul class="rows" id="profiles">${found.map((profile) => row(profile, view.found, ui))}</ul>
<p class="soft" data-found-none ${found.length > 0 ? html`hidden` : ''}>${t('add.found_none')}</p>
<dl class="facts small"><dt>${verifiedBadge(true, ui)}</dt><dd class="soft">${t('add.verified_why')}</dd><dt>${verifiedBadge(false, ui)}</dt><dd class="soft">${t('add.unverified_why')}</dd></dl>`;
  const other = html`<ul class="rows">${otherWay('/meters/new?way=mqtt', 'radio-tower', t('add.own_mqtt'), t('add.own_mqtt_text'))}
${otherWay('/meters/new?way=http', 'globe', t('add.own_http'), t('add.own_http_text'))}
${otherWay('/meters/new/virtual', 'sigma', t('add.virtual'), t('add.virtual_text'))}
${otherWay('/import', 'file-up', t('add.import'), t('add.import_text'))}</ul>`;
  return layout(ui, {
    title: t('add.title'),
    page: 'meters',
    scripts: ['find.js'],
    content: html`${card({ title: t('add.choose'), size: 'large', content: list, aside: linkButton('/meters/new/search', t('search.link'), 'plain', 'radar') })}<div class="stack small-card">${card({ title: t('add.other'), content: other })}</div>`,
    action: html`<a class="small" href="/meters">${t('meter.all')}</a>`,
  });
}

function wordsOf({ vendor, model, transport, name }: ProfileChoice): string {
  return `${vendor} ${model} ${transport} ${name}`.toLowerCase();
}

function row(profile: ProfileChoice, found: ChooseView['found'], ui: Ui): Html {
  const rest = found ? `&found=${encodeURIComponent(found.id)}` : '';
  return html`<li data-words="${wordsOf(profile)}"><a class="choice-link" href="/meters/new?profile=${encodeURIComponent(profile.name)}${rest}"><b>${profile.vendor}</b> ${profile.model}</a><span class="marks"><span class="badge">${ui.t(`add.over_${profile.transport}`)}</span> ${verifiedBadge(profile.verified, ui)}</span></li>`;
}

/** Whether the profile was checked against real data, with the reason. */
export function verifiedBadge(verified: boolean, ui: Ui): Html {
  const name = verified ? 'verified' : 'unverified';
  return html`<span class="badge" title="${ui.t(`add.${name}_why`)}">${icon(verified ? 'badge-check' : 'flask-conical')}${ui.t(`add.${name}`)}</span>`;
}

function otherWay(href: string, picture: string, title: string, text: string): Html {
  return html`<li class="other-way">${icon(picture)}<div class="stack tight"><a href="${href}"><b>${title}</b></a><span class="soft small">${text}</span></div></li>`;
}
