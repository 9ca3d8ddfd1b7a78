/** One question with what was read for it, its answer and its quotes; also in the pieces that arrive one after another. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { csrfField } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import {
  type Citation,
  createNumbering,
  type Figure,
  isFigure,
  type Numbering,
  placeOf,
  type Read,
  type Sentence,
  type Source,
  type Standing,
  sourceAddress,
  type Turn,
} from './ask-sources.ts';
import { citedAnswer } from './ask-text.ts';

/** The whole turn, as it stays. */
export function turnPart(turn: Turn, ui: Ui): Html {
  const { t } = ui;
  const number = createNumbering();
  const sentences = turn.sentences.map((sentence) => sentencePart(turn.id, sentence, number));
  const quotes = number.all().map(({ n, source }) => quotePart(turn.id, n, source, ui));
  return html`<article class="card turn" id="turn-${turn.id}" data-status="${turn.status}" aria-labelledby="asked-${turn.id}">
<header><h2 id="asked-${turn.id}">${turn.question}</h2>${turn.as_of ? html`<p class="soft small">${icon('history')} ${t('ask.as_of_day', { day: dayOf(turn.as_of, ui) })}</p>` : ''}</header>
${turn.status === 'working' ? workingLine(ui) : verdict(turn, ui)}
<div class="answer"><div class="stack sentences">${sentences}</div><ol class="quotes" aria-label="${t('ask.quotes')}">${quotes}</ol></div>
${turn.status === 'abstained' ? nearestPart(turn, ui) : ''}
${turn.asking ? askingPart(turn.id, turn.asking, ui) : ''}
<div class="read">${turn.status === 'abstained' ? '' : readPart(turn.read, ui)}</div>
${turn.status === 'working' ? '' : foot(turn, ui)}
</article>`;
}

function dayOf(day: string, { format }: Ui): string {
  return new Intl.DateTimeFormat(format.locale, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(day));
}

function workingLine(ui: Ui): Html {
  return html`<p class="working" role="status">${icon('loader-circle')}<span>${ui.t('ask.working')}</span><button type="button" class="stop" data-stop>${icon('square')}${ui.t('ask.stop')}</button></p>`;
}

function answeredWords({ model }: Turn, documents: number, { t }: Ui): string {
  if (documents === 0) return t('ask.answered_site');
  return model === null ? t('ask.answered_quotes', { n: documents }) : t('ask.answered_model', { n: documents });
}

/** Says first of all whether there is an answer. */
function verdict(turn: Turn, ui: Ui): Html {
  const { t } = ui;
  const cited = new Set(turn.sentences.flatMap((each) => each.citations.map(({ document }) => document))).size;
  if (turn.status === 'answered')
    return html`<p class="verdict-line ok" role="status">${icon('circle-check')}<span>${answeredWords(turn, cited, ui)}</span></p>`;
  if (turn.status === 'abstained')
    return html`<div class="abstain" role="status"><p class="verdict">${icon('circle-help')} ${t('ask.abstained')}</p><p>${turn.reason ?? t('ask.abstained_text')}</p></div>`;
  if (turn.status === 'asking')
    return html`<p class="verdict" role="status">${icon('circle-help')} ${turn.asking?.text ?? ''}</p>`;
  const words = turn.status === 'stopped' ? t('ask.stopped') : (turn.reason ?? t('ask.failed'));
  const picture = turn.status === 'stopped' ? 'square' : 'triangle-alert';
  return html`<p class="verdict-line ${turn.status === 'stopped' ? '' : 'warning'}" role="status">${icon(picture)}<span>${words}</span></p>`;
}

export function sentencePart(turn: string, sentence: Sentence, number: Numbering): Html {
  const marks = [...sentence.citations, ...(sentence.figures ?? [])].map((source) => number.of(source));
  return html`<p class="sentence">${sentence.text}&nbsp;${[...new Set(marks)].map((n) => html`<sup><a href="#quote-${turn}-${n}">${n}</a></sup>`)}</p>`;
}

export function quotePart(turn: string, n: number, source: Citation | Figure, ui: Ui): Html {
  const link = isFigure(source)
    ? html`<a class="source" href="${source.href}">${icon('chart-line')}<span>${source.title}</span></a>`
    : sourceLink(source, source.quote, ui);
  return html`<li id="quote-${turn}-${n}" value="${n}">${link}<blockquote>${source.quote}</blockquote></li>`;
}

function nearestPart({ nearest }: Turn, ui: Ui): Html {
  const { t } = ui;
  if (nearest.length === 0) return html`<p class="soft">${t('ask.nearest_none')}</p>`;
  return html`<section class="stack tight"><h3>${t('ask.nearest')}</h3><ul class="quotes nearest">${nearest.map(
    (passage) =>
      html`<li>${sourceLink(passage, firstWords(passage.text), ui)}<blockquote>${passage.text}</blockquote></li>`,
  )}</ul></section>`;
}

/** What was read, folded: where each passage stands, one click from its page. */
export function readPart(read: readonly Read[], ui: Ui): Html {
  if (read.length === 0) return html``;
  return html`<details><summary>${icon('book-open')} ${ui.t('ask.read', { n: read.length })}</summary><ul class="sources">${read.map((one) => html`<li>${sourceLink(one, firstWords(one.text), ui)}</li>`)}</ul></details>`;
}

/** The question back, one button a meaning. */
function askingPart(turn: string, { options }: NonNullable<Turn['asking']>, ui: Ui): Html {
  return html`<form class="actions" method="post" action="/ask/answers/${encodeURIComponent(turn)}/resume" hx-post="/ask/answers/${encodeURIComponent(turn)}/resume" hx-target="closest article" hx-swap="outerHTML">${csrfField(ui)}${options.map(({ id, label }) => html`<button name="choice" value="${id}">${label}</button>`)}</form>`;
}

/** A proposal only: nothing is done before a person presses the button. */
export function taskPart(turn: string, { title, is_confirmed }: NonNullable<Turn['task']>, ui: Ui): Html {
  const { t } = ui;
  if (is_confirmed)
    return html`<p class="task" role="status">${icon('circle-check')} ${t('ask.task_made', { title })}</p>`;
  return html`<form class="task" method="post" action="/ask/answers/${encodeURIComponent(turn)}/task" hx-post="/ask/answers/${encodeURIComponent(turn)}/task" hx-target="this" hx-swap="outerHTML">${csrfField(ui)}<span>${t('ask.task', { title })}</span><button>${icon('plus')}${t('ask.task_make')}</button></form>`;
}

/** How far it can be trusted, copying, and whether it helped. */
function foot(turn: Turn, ui: Ui): Html {
  const { t } = ui;
  const answered = turn.sentences.length > 0;
  if (turn.status === 'asking' || (!answered && !turn.is_kept)) return html``;
  const copy = answered
    ? html`<button type="button" class="quiet" data-copy="${citedAnswer(turn, ui)}" data-copied="${t('ask.copied')}" hidden>${icon('copy')}<span>${t('ask.copy')}</span></button>`
    : html`<span></span>`;
  return html`<footer class="turn-foot">${turn.task ? taskPart(turn.id, turn.task, ui) : ''}${answered ? html`<p class="small soft">${notes(turn, ui).join(' ')}</p>` : ''}<div class="actions">${copy}${turn.is_kept ? feedbackPart(turn, ui) : ''}</div></footer>`;
}

function notes({ model, model_fault, dropped }: Turn, { t }: Ui): string[] {
  return [
    model === null ? t('ask.note') : t('ask.note_model', { model }),
    model_fault ? t('ask.note_model_fault', { fault: model_fault }) : '',
    dropped > 0 ? t('ask.note_dropped', { n: dropped }) : '',
  ].filter(Boolean);
}

/** Asked for once; what was said can be changed. */
export function feedbackPart({ id, feedback }: Pick<Turn, 'id' | 'feedback'>, ui: Ui): Html {
  const { t } = ui;
  const choice = (value: 'useful' | 'not_useful', picture: string) =>
    html`<button name="feedback" value="${value}" aria-pressed="${String(feedback === value)}">${icon(picture)}${t(`ask.${value}`)}</button>`;
  return html`<form class="feedback" method="post" action="/ask/answers/${encodeURIComponent(id)}/feedback" hx-post="/ask/answers/${encodeURIComponent(id)}/feedback" hx-target="this" hx-swap="outerHTML">${csrfField(ui)}
<fieldset class="choice"><legend class="unseen">${t('ask.feedback')}</legend>${choice('useful', 'thumbs-up')}${choice('not_useful', 'thumbs-down')}</fieldset>${feedback ? html`<span class="small soft" role="status">${t('ask.feedback_kept')}</span>` : ''}</form>`;
}

function sourceLink(source: Source & { standing?: Standing | null }, quote: string, ui: Ui): Html {
  return html`<a class="source" href="${sourceAddress(source, quote)}">${icon('file-text')}<span>${placeOf(source, ui)}</span></a>${versionBadge(source, ui)}`;
}

/** Only a version that no longer (or not yet) counts calls for attention. */
export function versionBadge({ version, standing }: { version: string; standing?: Standing | null }, ui: Ui): Html {
  if (!standing) return html``;
  const old = standing !== 'in_force';
  return html` <span class="badge ${old ? 'old' : ''}">${old ? icon('history') : ''}${ui.t('documents.version_of', { version })}: ${ui.t(`standing.${standing}`)}</span>`;
}

/** Enough of a passage to find it again on its page. */
function firstWords(text: string): string {
  return text.split(/\s+/).slice(0, 30).join(' ');
}
