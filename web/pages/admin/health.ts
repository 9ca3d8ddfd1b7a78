/** Admin, health: what works, what does not and since when; live. */
import { html } from 'hono/html';
import { card, linkButton, notice, type State, stateMark } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage } from './frame.ts';
import { type ModelRowView, modelsCard } from './health-models.ts';

export type HealthView = {
  ready: boolean;
  /** `text` is empty for who may not see the numbers of the whole box. */
  parts: readonly PartView[];
  /** What the whole box does, for all organisations together; null for who may not see that. */
  box: BoxView | null;
  sources:
    | readonly {
        name: string;
        area: string;
        last_success_ms: number | null;
        fault: string | null;
        next_run_ms: number | null;
      }[]
    | null;
  weather: { enabled: boolean; last_success_ms: number | null; fault: string | null } | null;
};
export type PartView = {
  name: string;
  state: 'ok' | 'degraded' | 'down';
  text: string;
  since_ms: number | null;
  latency?: { p50_ms: number; p95_ms: number } | null;
  version?: string | null;
};
/** What the home takes on disk; bytes. */
export type VolumeView = {
  folders: readonly { name: string; bytes: number }[];
  bytes: number;
  growth_per_day: number | null;
  free_bytes: number;
};
export type BoxView = {
  /** Null until it was measured. */
  volume?: VolumeView | null;
  version?: string;
  journal: {
    records: number;
    waiting: number;
    bytes: number;
    most_bytes: number;
    files: number;
    quarantined: readonly string[];
  };
  queues: readonly { name: string; waiting: number; active: number; failed: number }[] | null;
  store: string;
  books: Books;
  /** Of Ollama. */
  models?: readonly ModelRowView[];
};
type Book = Record<(typeof STATES_OF_READINGS)[number], number>;
export type Books = {
  total: Book;
  sources: Readonly<Record<string, Book>>;
  /** Acknowledged readings that nothing accounts for. */
  missing: number;
  complete: boolean;
};

const STATES_OF_READINGS = ['received', 'stored', 'duplicate', 'rejected', 'dead', 'waiting'] as const;

const STATES: Record<'ok' | 'degraded' | 'down', State> = { ok: 'ok', degraded: 'warning', down: 'fault' };
const NAMES = {
  database: 'health.part_database',
  journal: 'health.part_journal',
  'series store': 'health.part_series_store',
  drain: 'health.part_drain',
  readings: 'health.part_readings',
  jobs: 'health.part_jobs',
  clock: 'health.part_clock',
  'forecast backend': 'health.part_forecast_backend',
  backups: 'health.part_backups',
  files: 'health.part_files',
  certificate: 'health.part_certificate',
  'external broker': 'health.part_broker',
} as const;
/** What to do when a part is ill. */
const REMEDIES = {
  database: 'health.todo_database',
  journal: 'health.todo_journal',
  'series store': 'health.todo_series_store',
  drain: 'health.todo_drain',
  readings: 'health.todo_readings',
  jobs: 'health.todo_jobs',
  clock: 'health.todo_clock',
  backups: 'health.todo_backups',
  files: 'health.todo_files',
  certificate: 'health.todo_certificate',
  'external broker': 'health.todo_broker',
} as const;

export function healthPage(view: HealthView, ui: Ui): Html {
  const content = html`<div class="region wide-region" id="health" sse-swap="health" hx-swap="morph:innerHTML">${healthCards(view, ui)}</div>`;
  return adminPage(ui, 'health', content, { live: 'page=health' });
}

/** The live region. */
export function healthCards(view: HealthView, ui: Ui): Html {
  const { box } = view;
  const whole = box
    ? html`${booksCard(box, ui)}${journalCard(box, ui)}${jobsCard(box, ui)}${volumeCard(box, ui)}${modelsCard(box.models ?? [], ui)}${supportCard(ui)}`
    : '';
  return html`${partsCard(view, ui)}${whole}${sourcesCard(view, ui)}`;
}

function partsCard({ ready, parts, box }: HealthView, ui: Ui): Html {
  const { t } = ui;
  const whose = box ? '' : html`<p class="soft">${t('health.of_others')}</p>`;
  return card({
    title: t('health.parts'),
    aside: stateMark(ready ? 'ok' : 'fault', t(ready ? 'health.ready' : 'health.not_ready')),
    content: html`<ul class="rows">${parts.map((part) => partRow(part, ui))}</ul>${whose}`,
  });
}

/** State, words, since when, how fast, and what to do where it is ill. */
function partRow(part: PartView, ui: Ui): Html {
  const { t, format } = ui;
  const name = part.name in NAMES ? t(NAMES[part.name as keyof typeof NAMES]) : part.name;
  const since =
    part.since_ms === null ? '' : ` (${t('common.since', { time: format.when(part.since_ms, ui.now_ms) })})`;
  const facts = [
    part.version ? t('health.version', { version: part.version }) : '',
    part.latency
      ? t('health.latency', { p50: format.number(part.latency.p50_ms, 1), p95: format.number(part.latency.p95_ms, 1) })
      : '',
  ].filter(Boolean);
  const todo = part.state !== 'ok' && part.name in REMEDIES ? t(REMEDIES[part.name as keyof typeof REMEDIES]) : '';
  return html`<li><div class="stack tight">${stateMark(STATES[part.state], name)}${todo ? html`<span class="small">${todo}</span>` : ''}</div><span class="soft">${part.text}${since}${facts.length > 0 ? html` <span class="small">${facts.join(' · ')}</span>` : ''}</span></li>`;
}

const megabytesOf = ({ format }: Ui, bytes: number) =>
  Math.abs(bytes) >= 1e9 ? `${format.number(bytes / 1e9, 1)}\u00a0GB` : `${format.number(bytes / 1e6)}\u00a0MB`;

function volumeCard({ volume, version }: BoxView, ui: Ui): Html {
  const { t } = ui;
  if (!volume)
    return card({
      title: t('health.volume'),
      size: 'half',
      content: html`<p class="soft">${t('health.volume_later')}</p>`,
    });
  const growth = volume.growth_per_day === null ? t('health.volume_later') : megabytesOf(ui, volume.growth_per_day);
  return card({
    title: t('health.volume'),
    size: 'half',
    content: html`<dl class="facts"><dt>${t('health.volume_all')}</dt><dd>${megabytesOf(ui, volume.bytes)}</dd>
<dt>${t('health.volume_growth')}</dt><dd>${growth}</dd>
<dt>${t('health.volume_free')}</dt><dd>${megabytesOf(ui, volume.free_bytes)}</dd>
${volume.folders.map(({ name, bytes }) => html`<dt><code>${name}</code></dt><dd>${megabytesOf(ui, bytes)}</dd>`)}
${version ? html`<dt>Luna</dt><dd>${version}</dd>` : ''}</dl>`,
  });
}

function supportCard({ t }: Ui): Html {
  const content = html`<p>${t('health.support_words')}</p><div class="actions">${linkButton('/admin/health/support.json', t('health.support_get'), 'plain')}</div>`;
  return card({ title: t('health.support'), size: 'half', content });
}

/** The sum that must come out even, by source. */
function booksCard({ books }: BoxView, ui: Ui): Html {
  const { t, format } = ui;
  const { total, missing, complete } = books;
  const row = (name: string, book: Book) =>
    html`<tr><th scope="row">${name}</th>${STATES_OF_READINGS.map((state) => html`<td class="numbers">${format.number(book[state])}</td>`)}</tr>`;
  const sources = Object.entries(books.sources).sort(([a], [b]) => a.localeCompare(b));
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="${t('health.books')}"><table><thead><tr><th scope="col">${t('health.books_source')}</th>${STATES_OF_READINGS.map((state) => html`<th scope="col" class="numbers">${t(`health.books_${state}`)}</th>`)}</tr></thead>
<tbody>${sources.map(([name, book]) => row(name, book))}${row(t('health.books_total'), total)}</tbody></table></div>`;
  const words = !complete
    ? html`<p class="soft">${t('health.books_begin')}</p>`
    : missing === 0
      ? html`<p class="soft">${t('health.books_even')}</p>`
      : notice('fault', t('health.books_missing', { count: format.number(missing), n: missing }));
  const none = html`<p class="soft">${t('health.books_none')}</p>`;
  return card({ title: t('health.books'), content: sources.length === 0 ? none : html`${table}${words}` });
}

function journalCard({ journal, store }: BoxView, ui: Ui): Html {
  const { t, format } = ui;
  const megabytes = (bytes: number) =>
    bytes >= 1e9 ? `${format.number(bytes / 1e9, 1)}\u00a0GB` : `${format.number(bytes / 1e6)}\u00a0MB`;
  const size = t('health.journal_size_of', {
    size: megabytes(journal.bytes),
    most: megabytes(journal.most_bytes),
    n: journal.files,
  });
  return card({
    title: t('health.files'),
    size: 'half',
    content: html`<dl class="facts"><dt>${t('health.journal_records')}</dt><dd>${format.number(journal.records)}</dd>
<dt>${t('health.journal_waiting')}</dt><dd>${format.number(journal.waiting)}</dd>
<dt>${t('health.journal_size')}</dt><dd>${size}</dd>
<dt>${t('health.journal_quarantined')}</dt><dd>${journal.quarantined.length === 0 ? t('health.none') : journal.quarantined.join(', ')}</dd>
<dt>${t('health.store')}</dt><dd>${store}</dd></dl>`,
  });
}

function jobsCard({ queues }: BoxView, ui: Ui): Html {
  const { t, format } = ui;
  if (queues === null || queues.length === 0)
    return card({
      title: t('health.jobs'),
      size: 'half',
      content: html`<p class="soft">${t(queues === null ? 'common.unavailable' : 'health.jobs_empty')}</p>`,
    });
  const columns = ['waiting', 'active', 'failed'] as const;
  return card({
    title: t('health.jobs'),
    size: 'half',
    content: html`<div class="scroll" tabindex="0" role="region" aria-label="${t('health.jobs')}"><table><thead><tr><th scope="col">${t('health.jobs_queue')}</th>${columns.map((column) => html`<th scope="col" class="numbers">${t(`health.jobs_${column}`)}</th>`)}</tr></thead>
<tbody>${queues.map((queue) => html`<tr><th scope="row">${queue.name}</th>${columns.map((column) => html`<td class="numbers">${column === 'failed' && queue.failed > 0 ? stateMark('warning', format.number(queue.failed)) : format.number(queue[column])}</td>`)}</tr>`)}</tbody></table></div>`,
  });
}

function sourcesCard({ sources, weather }: HealthView, ui: Ui): Html {
  const { t } = ui;
  const list =
    sources === null
      ? html`<p class="soft">${t('common.unavailable')}</p>`
      : sources.length === 0
        ? html`<p class="soft">${t('health.prices_empty')}</p>`
        : html`<ul class="rows">${sources.map((source) => sourceRow(source, ui))}</ul>`;
  return card({
    title: t('health.prices'),
    content: html`${list}<h3>${t('health.weather')}</h3>${weatherWords(weather, ui)}`,
  });
}

function sourceRow(source: NonNullable<HealthView['sources']>[number], ui: Ui): Html {
  const { t, format } = ui;
  const when = (at_ms: number) => format.when(at_ms, ui.now_ms);
  const facts = [
    t('health.source_area', { area: source.area }),
    source.last_success_ms === null
      ? t('health.source_never')
      : t('health.source_ok', { when: when(source.last_success_ms) }),
    source.next_run_ms === null ? '' : t('health.source_next', { when: when(source.next_run_ms) }),
  ].filter(Boolean);
  const state: State = source.fault ? 'warning' : source.last_success_ms === null ? 'unknown' : 'ok';
  return html`<li><div class="stack tight">${stateMark(state, source.name)}${source.fault ? html`<span class="small">${source.fault}</span>` : ''}</div><span class="soft small">${facts.join(' · ')}</span></li>`;
}

function weatherWords(weather: HealthView['weather'], ui: Ui): Html {
  const { t, format } = ui;
  if (!weather) return html`<p class="soft">${t('common.unavailable')}</p>`;
  if (!weather.enabled) return html`<p class="soft">${t('health.weather_off')}</p>`;
  const last =
    weather.last_success_ms === null
      ? t('health.source_never')
      : t('health.source_ok', { when: format.when(weather.last_success_ms, ui.now_ms) });
  return html`<p>${stateMark(weather.fault ? 'warning' : 'ok', 'Open-Meteo')} <span class="soft">${weather.fault ?? ''} ${last}</span></p>`;
}
