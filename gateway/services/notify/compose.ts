/** A message in the words of its reader: one cause under one heading, however many alerts it has. */
import type { What } from '../../../engine/alerts/plan.ts';
import type { NotifiedAlert, NotifierMessage } from '../../../engine/ports.ts';
import { createFormat } from '../../../web/format.ts';
import { createTranslate, type Language } from '../../../web/i18n/text.ts';
import { type AlertWords, alertWords, type WordsDeps } from '../../alert-words.ts';
import type { Alert } from '../../services.ts';

export type ComposeDeps = WordsDeps & {
  /** Where people find the pages, or null where nobody knows. */
  baseUrl: () => string | null;
};
export type Told = { alert: Alert; what: What };
export type Envelope = { id: string; made_ms: number; to: string | null; language: Language };

/** Alerts of one cause that are named; the others are counted. */
const NAMED = 5;
/** Every one of them is a state that a display keeps. */
const LISTED = 5000;

export function composeMessage(
  deps: ComposeDeps,
  tenant: string,
  envelope: Envelope,
  told: readonly Told[],
): NotifierMessage {
  const { language, made_ms } = envelope;
  const base = deps.baseUrl();
  const site = siteName(deps, tenant);
  const words = told.map(({ alert, what }) => ({
    alert,
    what,
    words: alertWords(deps, tenant, alert, language, made_ms),
  }));
  return {
    ...{ ...envelope, site, test: false },
    subject: subjectOf(site, words, language),
    text: `${textOf(deps, tenant, words, envelope)}\n\n-- \n${footOf(site, base, language)}\n`,
    alerts: words.slice(0, LISTED).map((one) => listed(one, base)),
    more: Math.max(0, words.length - LISTED),
  };
}

export function composeTest(deps: ComposeDeps, tenant: string, envelope: Envelope): NotifierMessage {
  const t = createTranslate(envelope.language);
  const site = siteName(deps, tenant);
  const foot = footOf(site, deps.baseUrl(), envelope.language);
  return {
    ...{ ...envelope, site, test: true, alerts: [], more: 0 },
    subject: t('notify.test_subject', { site }),
    text: `${t('notify.test_text', { site })}\n\n-- \n${foot}\n`,
  };
}

type Worded = Told & { words: AlertWords };

function siteName({ site }: ComposeDeps, tenant: string): string {
  return site.get(tenant)?.name ?? tenant;
}

function listed({ alert, what, words }: Worded, base: string | null): NotifiedAlert {
  const { id, kind, object, severity, opened_ms, closed_ms, acknowledged_by } = alert;
  const link = base === null ? null : `${base}/alerts/${id}`;
  const { name, text, remedy } = words;
  return { id, kind, object, name, severity, what, text, remedy, link, opened_ms, closed_ms, acknowledged_by };
}

function subjectOf(site: string, told: readonly Worded[], language: Language): string {
  const t = createTranslate(language);
  const [first] = told;
  if (first && told.length === 1) {
    const { text } = first.words;
    const parameters = { site, text };
    if (first.what === 'solved') return t('notify.subject_solved', parameters);
    return first.what === 'acknowledged' ? t('notify.subject_acknowledged', parameters) : `${site}: ${text}`;
  }
  const of = (...whats: What[]) => told.filter(({ what }) => whats.includes(what));
  const news = of('opened', 'escalated', 'repeated');
  const parts = [
    news.length > 0 ? t('notify.part_news', { n: news.length, kinds: kindsOf(news) }) : '',
    of('acknowledged').length > 0 ? t('notify.part_acknowledged', { n: of('acknowledged').length }) : '',
    of('solved').length > 0 ? t('notify.part_solved', { n: of('solved').length }) : '',
  ];
  return `${site}: ${parts.filter(Boolean).join(', ')}`;
}

/** `meter silent 12, disk full 1`, the most first. */
function kindsOf(told: readonly Worded[]): string {
  const counts = new Map<string, number>();
  for (const { words } of told) counts.set(words.kind, (counts.get(words.kind) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a);
  const shown = most.slice(0, 3).map(([kind, n]) => `${kind} ${n}`);
  return most.length > 3 ? `${shown.join(', ')}, …` : shown.join(', ');
}

function textOf(deps: ComposeDeps, tenant: string, told: readonly Worded[], { language, made_ms }: Envelope): string {
  const t = createTranslate(language);
  const time_zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
  const format = createFormat({ language, time_zone, currency: 'EUR', t });
  const causes = new Map<string, Worded[]>();
  for (const one of told) {
    const key = `${one.what} ${one.alert.kind}`;
    const list = causes.get(key);
    if (list) list.push(one);
    else causes.set(key, [one]);
  }
  const base = deps.baseUrl();
  return [...causes.values()]
    .map((list) => {
      const { what, words } = list[0]!;
      const count = list.length > 1 ? ` (${list.length})` : '';
      const lines = list
        .slice(0, NAMED)
        .flatMap(({ alert, words: { text } }) => [
          alert.closed_ms === null ? text : t('notify.lasted', { text, time: format.when(alert.closed_ms, made_ms) }),
          ...(base === null ? [] : [`${base}/alerts/${alert.id}`]),
        ]);
      const rest = list.length > NAMED ? [t('notify.more', { n: list.length - NAMED })] : [];
      const remedy = what === 'solved' ? [] : ['', t('notify.to_do', { text: words.remedy })];
      return [`${t(`notify.heading_${what}`, { kind: words.kind })}${count}`, '', ...lines, ...rest, ...remedy].join(
        '\n',
      );
    })
    .join('\n\n\n');
}

function footOf(site: string, base: string | null, language: Language): string {
  const t = createTranslate(language);
  const link = base === null ? [] : [t('notify.foot_link', { link: `${base}/alerts` })];
  return [t('notify.foot', { site }), ...link].join('\n');
}
