/** What an alert says to people, in the language, zone and formats of the reader: on pages, in the API and in messages. */
import { quantityInfo } from '../engine/model/quantity.ts';
import { createFormat } from '../web/format.ts';
import { createTranslate, hasText, type Language, type Translate } from '../web/i18n/text.ts';
import type { Alert, DeviceService, MeterService, SiteService } from './services.ts';

export type AlertWords = {
  /** Name of the meter, device, area or file it is about. */
  name: string;
  /** The kind in two or three words. */
  kind: string;
  /** What happened and since when. */
  text: string;
  /** What to do. */
  remedy: string;
  /** Page of what it is about. */
  link: string | null;
};
export type WordsDeps = {
  meters: Pick<MeterService, 'get' | 'ofDevice'>;
  devices: Pick<DeviceService, 'get'>;
  site: Pick<SiteService, 'get'>;
};
type Loose = (key: string, parameters: Record<string, string | number>) => string;

/** @param now_ms the reader's now: times of today stand without their day */
export function alertWords(
  deps: WordsDeps,
  tenant: string,
  alert: Alert,
  language: Language,
  now_ms: number,
): AlertWords {
  const t = createTranslate(language);
  const site = deps.site.get(tenant);
  const format = createFormat({ language, time_zone: site?.time_zone ?? 'UTC', currency: site?.currency ?? 'EUR', t });
  const { name: subject, link } = subjectOf(deps, tenant, alert);
  const name = alert.kind === 'answers_worse' && alert.object === 'extractive' ? t('eval.quotes') : subject;
  const { free_bytes } = alert.detail;
  const free = typeof free_bytes === 'number' ? gibibytes(free_bytes, language) : '?';
  const problem = problemOf(t, alert.detail);
  const amounts = { ...amountsOf(alert.detail, format, now_ms), ...unusualOf(t, alert.detail, format) };
  const figure = (t as Loose)(`figure.${alert.detail.figure ?? 'answered_correct'}`, {});
  const parameters = { name, free, problem, figure, time: format.when(alert.opened_ms, now_ms), ...amounts };
  return {
    ...{ name, link },
    kind: wordsOf(t, 'alert_kind', alert.kind, parameters),
    text: wordsOf(t, 'alert', alert.kind, parameters),
    remedy: wordsOf(t, 'alert_todo', alert.kind, parameters),
  };
}

/** In the reader's language; what nobody foresaw is followed by the words of its origin. */
function problemOf(t: Translate, { fault, problem }: Alert['detail']): string {
  const key = `backup_fault.${fault}`;
  const words = typeof fault === 'string' && hasText(key) ? (t as Loose)(key, {}) : null;
  if (words !== null && fault !== 'other') return words;
  return [words, typeof problem === 'string' ? problem : '?'].filter((part) => part !== null).join(' ');
}

/** How much and how long, where the alert tells it: in the unit of its quantity. */
function amountsOf(detail: Alert['detail'], format: ReturnType<typeof createFormat>, now_ms: number) {
  const { from, to, value, usual, since_ms, until_ms, before_percent, now_percent } = detail;
  const unit = quantityInfo(String(detail.quantity ?? ''))?.unit ?? '';
  const amount = (given: unknown) => (typeof given === 'number' ? format.value(given, unit) : '?');
  const end_ms = typeof until_ms === 'number' ? until_ms : now_ms;
  const hours =
    typeof detail.hours === 'number'
      ? String(detail.hours)
      : typeof since_ms === 'number'
        ? String(Math.max(1, Math.round((end_ms - since_ms) / 3_600_000)))
        : '?';
  const percents = { before_percent: String(before_percent ?? '?'), now_percent: String(now_percent ?? '?') };
  const jump = typeof from === 'number' && typeof to === 'number' ? amount(to - from) : '?';
  return { from: amount(from), to: amount(to), jump, value: amount(value), usual: amount(usual), hours, ...percents };
}

/** How much more or less than forecast, and what is likely behind it. */
function unusualOf(t: Translate, detail: Alert['detail'], format: ReturnType<typeof createFormat>) {
  const { energy_kWh, amount, currency, cause } = detail;
  const key = `anomaly_cause.${cause}`;
  const likely = (t as Loose)(hasText(key) ? key : 'anomaly_cause.unknown', {});
  if (typeof energy_kWh !== 'number') return { more: t('anomaly.other'), cause: likely };
  const money = typeof amount === 'number' ? ` (${format.money(amount, String(currency ?? 'EUR'))})` : '';
  const more = t(energy_kWh < 0 ? 'anomaly.less' : 'anomaly.more', { energy: format.energy(Math.abs(energy_kWh)) });
  return { more: `${more}${money}`, cause: likely };
}

/** A kind without words of its own, from a newer version or a test, is still told. */
function wordsOf(t: Translate, group: string, kind: string, parameters: Record<string, string>): string {
  const key = `${group}.${kind}`;
  return (t as Loose)(hasText(key) ? key : `${group}.other`, parameters);
}

const LINKS: Readonly<Record<string, string>> = {
  prices_stale: '/prices',
  document_refused: '/documents',
  retrieval_worse: '/admin/regulation',
  answers_worse: '/admin/regulation',
  series_store_down: '/admin/health',
  series_table_suspended: '/admin/health',
  dead_letters: '/admin/health',
  journal_full: '/admin/health',
  journal_quarantine: '/admin/health',
  disk_low: '/admin/health',
  disk_full: '/admin/health',
  clock_wrong: '/admin/health',
  channel_failing: '/admin/notifications',
  backup_failed: '/admin/backups',
  backup_stale: '/admin/backups',
  audit_broken: '/admin/audit',
  forecast_drift: '/forecasts',
  forecast_error: '/forecasts',
  model_rolled_back: '/forecasts',
};

function subjectOf(
  { meters, devices }: WordsDeps,
  tenant: string,
  { kind, object, detail }: Alert,
): Pick<AlertWords, 'name' | 'link'> {
  const meter = meters.get(tenant, object) ?? meters.ofDevice(tenant, object)[0] ?? null;
  const given = typeof detail.name === 'string' ? detail.name : null;
  const name = given ?? (kind === 'device_unreachable' ? devices.get(tenant, object)?.name : meter?.name) ?? object;
  return { name, link: LINKS[kind] ?? (meter ? `/meters/${encodeURIComponent(meter.id)}` : null) };
}

function gibibytes(bytes: number, language: Language): string {
  const options = { maximumSignificantDigits: 2 };
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toLocaleString(language, options)}\u00a0MB`
    : `${(bytes / 2 ** 30).toLocaleString(language, options)}\u00a0GB`;
}
