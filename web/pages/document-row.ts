/** One document in the list: what counts today, how far reading has come, what is doubtful, older versions. */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { icon } from '../components/icon.ts';
import { csrfField, field, type State, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { Standing } from './ask-sources.ts';

export type VersionRow = {
  version: string;
  state: 'queued' | 'reading' | 'ready' | 'refused';
  /** Why it was refused, with what to do. */
  reason: string | null;
  pages: number | null;
  /** That can be quoted. */
  passages: number;
  uploaded_ms: number;
  uploaded_by: string;
  /** How it stands today; null while it cannot be quoted. */
  standing: Standing | null;
  /** First and last day in force, `YYYY-MM-DD`; null: nobody said. */
  valid_from: string | null;
  valid_to: string | null;
  /** The version that took its place. */
  replaced_by: string | null;
  /** What is doubtful without keeping it from being read. */
  faults: readonly { where: string; problem: string }[];
  /** Pages whose text was recognised from pictures, and so may be wrong. */
  ocr_pages: number;
};
export type DocumentRow = VersionRow & {
  id: string;
  title: string;
  /** Lent to all organisations of the box. */
  shared: boolean;
  /** Ours to change; false for what another organisation shares. */
  own: boolean;
  /** Whether it may be lent to the other organisations of the box from here. */
  can_share?: boolean;
  /** While it is read: the stage, and how much of it is done. */
  stage: { name: string; done: number; total: number | null } | null;
  others: readonly VersionRow[];
};

const STATES: Record<VersionRow['state'], State> = {
  queued: 'unknown',
  reading: 'unknown',
  ready: 'ok',
  refused: 'fault',
};
const WORDS = {
  queued: 'documents.queued',
  reading: 'documents.reading',
  ready: 'documents.ready',
  refused: 'documents.refused',
} as const;
const STAGES = {
  extract: 'documents.stage_extract',
  structure: 'documents.stage_structure',
  store: 'documents.stage_store',
  index: 'documents.stage_index',
  embed: 'documents.stage_embed',
} as const;

export function documentRow(document: DocumentRow, ui: Ui): Html {
  const { t } = ui;
  const doubtful = document.state === 'ready' && (document.faults.length > 0 || document.ocr_pages > 0);
  const mark = doubtful
    ? stateMark('warning', t('documents.ready_doubtful'))
    : stateMark(STATES[document.state], t(WORDS[document.state]));
  return html`<li class="document"><div class="stack tight">
<p class="document-name"><b>${name(document, document, ui)}</b>${document.shared ? html` <span class="badge">${icon('users')}${t('documents.shared')}</span>` : ''}</p>
<p class="small">${validity(document, ui)}</p>
<p class="soft small">${facts(document, ui)}</p>
${progress(document, ui)}${document.reason ? html`<p class="small">${document.reason}</p>` : ''}${faults(document, ui)}${others(document, ui)}${mayChange(document, ui) && document.state === 'ready' ? days(document, ui) : ''}${document.can_share ? sharing(document, ui) : ''}</div>
<div class="actions">${mark}${mayChange(document, ui) ? removal(document, ui) : ''}</div></li>`;
}

function mayChange({ own }: DocumentRow, { actor }: Ui): boolean {
  return own && actor?.role === 'admin';
}

function name({ id, title }: Pick<DocumentRow, 'id' | 'title'>, { version, state }: VersionRow, ui: Ui, words = title) {
  const label = words === title ? words : ui.t('documents.version_of', { version });
  if (state !== 'ready') return label;
  return html`<a href="/documents/${encodeURIComponent(id)}?version=${encodeURIComponent(version)}">${label}</a>`;
}

/** `Version 2026-01: in force since 1 January 2026`. */
function validity(version: VersionRow, ui: Ui): Html | string {
  const of = ui.t('documents.version_of', { version: version.version });
  if (version.standing === null) return of;
  const words = `${of}: ${standingWords(version, ui)}`;
  return version.standing === 'in_force' ? words : html`<span class="old-version">${icon('history')} ${words}</span>`;
}

/** `in force since 1 January 2026`, `replaced by version 3 (1 April 2022 – 31 December 2025)`. */
function standingWords({ standing, valid_from, valid_to, replaced_by }: VersionRow, ui: Ui): string {
  const { t } = ui;
  if (standing === null) return '';
  const [from, to] = [valid_from, valid_to].map((text) => (text === null ? '' : day(text, ui)));
  if (standing === 'in_force') {
    const since = from ? t('documents.since', { day: from }) : '';
    const until = to ? t('documents.until', { day: to }) : '';
    return [t('standing.in_force'), since, until].filter(Boolean).join(' ');
  }
  const by = standing === 'replaced' && replaced_by !== null ? t('documents.by_version', { version: replaced_by }) : '';
  const days = from || to ? `(${from || '…'} – ${to || '…'})` : '';
  return [t(`standing.${standing}`), by, days].filter(Boolean).join(' ');
}

function day(text: string, ui: Ui): string {
  return new Intl.DateTimeFormat(ui.format.locale, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(text));
}

function facts(version: VersionRow, ui: Ui): string {
  const { t, format } = ui;
  return [
    version.pages === null ? '' : t('documents.pages', { n: version.pages }),
    version.state === 'ready' ? t('documents.passages', { n: version.passages }) : '',
    t('documents.uploaded', { when: format.when(version.uploaded_ms, ui.now_ms), who: version.uploaded_by }),
  ]
    .filter(Boolean)
    .join(' · ');
}

function progress({ title, state, stage }: DocumentRow, ui: Ui): Html | string {
  if (state !== 'reading' || !stage) return '';
  const known = STAGES[stage.name as keyof typeof STAGES];
  const words = known ? ui.t(known) : ui.t('documents.reading');
  const counted = stage.total === null ? '' : ` ${ui.format.number(stage.done)}/${ui.format.number(stage.total)}`;
  const value = stage.total === null ? '' : html`value="${stage.done}" max="${Math.max(1, stage.total)}"`;
  return html`<p class="stage"><progress ${value} aria-label="${title}: ${words}"></progress><span class="small soft">${words}${counted}</span></p>`;
}

function faults({ state, faults, ocr_pages }: DocumentRow, ui: Ui): Html | string {
  const { t } = ui;
  const all = [
    ...(ocr_pages > 0 ? [html`<li>${t('documents.ocr', { n: ocr_pages })}</li>`] : []),
    ...faults.map(({ where, problem }) => html`<li>${where ? html`<b>${where}</b>: ` : ''}${problem}</li>`),
  ];
  if (state !== 'ready' || all.length === 0) return '';
  return html`<details class="small"><summary>${t('documents.faults', { n: all.length })}</summary><ul class="bullets">${all}</ul></details>`;
}

function others(document: DocumentRow, ui: Ui): Html | string {
  const { t } = ui;
  if (document.others.length === 0) return '';
  const rows = [document, ...document.others].map(
    (version) =>
      html`<li>${name(document, version, ui, '')}<span class="soft"> · ${standingWords(version, ui) || t(WORDS[version.state])} · ${facts(version, ui)}</span>${mayChange(document, ui) ? versionRemoval(document, version, ui) : ''}</li>`,
  );
  return html`<details class="small"><summary>${t('documents.versions', { n: rows.length })}</summary><ul class="bullets versions">${rows}</ul></details>`;
}

/** From when to when it is in force: what answers are quoted from depends on it. */
function days({ id, version, valid_from, valid_to }: DocumentRow, ui: Ui): Html {
  const { t } = ui;
  const date = (name: 'valid_from' | 'valid_to', value: string | null) =>
    field({
      ...{ id: `${name}-${id}`, label: t(`documents.${name}`) },
      control: html`<input id="${name}-${id}" name="${name}" type="date" value="${value ?? ''}">`,
    });
  return html`<details class="small"><summary>${t('documents.days')}</summary><form class="form" method="post" action="/documents/${encodeURIComponent(id)}/days">${csrfField(ui)}<input type="hidden" name="version" value="${version}"><div class="form-row">${date('valid_from', valid_from)}${date('valid_to', valid_to)}</div><div class="actions"><button>${t('documents.days_save')}</button></div></form></details>`;
}

/** Of one version; the others stay. */
function versionRemoval({ id, title }: DocumentRow, { version }: VersionRow, ui: Ui): Html {
  const { t } = ui;
  return askOnce(ui, {
    action: `/documents/${encodeURIComponent(id)}/versions/${encodeURIComponent(version)}/remove`,
    label: `${t('documents.remove')}: ${title}, ${t('documents.version_of', { version })}`,
    question: t('documents.remove_version_ask', { title, version }),
    yes: t('documents.remove_yes'),
  });
}

/** Lends it to the other organisations of the box, or takes it back; what that means is said before. */
function sharing({ id, shared }: DocumentRow, ui: Ui): Html {
  const { t } = ui;
  return html`<form method="post" action="/documents/${encodeURIComponent(id)}/share">${csrfField(ui)}<input type="hidden" name="shared" value="${shared ? '0' : '1'}"><p class="soft small">${t(shared ? 'documents.shared_text' : 'documents.share_text')} <button class="quiet">${icon('users')}${t(shared ? 'documents.unshare' : 'documents.share')}</button></p></form>`;
}

/** Asks once, naming what goes; works without JavaScript. */
function removal({ id, title }: DocumentRow, ui: Ui): Html {
  const { t } = ui;
  return askOnce(ui, {
    action: `/documents/${encodeURIComponent(id)}/remove`,
    label: `${t('documents.remove')}: ${title}`,
    question: t('documents.remove_ask', { title }),
    yes: t('documents.remove_yes'),
  });
}
