/**
 * Notifications: tells people of alerts. A round each few seconds, and at once after an alert, writes what is to be told;
 * the job queue delivers it. Neither ever stands in the way of an alert, and an alert never in the way of readings.
 */
import { randomUUID } from 'node:crypto';
import { ABOUT_CHANNEL } from '../../engine/alerts/plan.ts';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { Vault } from '../auth/vault.ts';
import type { Actor, AlertService, Base, JobService, SiteService } from '../services.ts';
import { openNotifier, type WaysOut } from './notify/channel.ts';
import { type ComposeDeps, composeMessage, composeTest } from './notify/compose.ts';
import {
  claim,
  GIVE_UP_MS,
  isFailing,
  itemsOf,
  lastMessages,
  type MessageState,
  type Outcome,
  settle,
  type ToldAbout,
  toldAbout,
  type WaitingMessage,
} from './notify/outbox.ts';
import { createRounds } from './notify/rounds.ts';
import { createNotifySettings, type NotifySettings } from './notify/settings.ts';

export type TestOutcome = { ok: boolean; text: string; took_ms: number };
export type NotifyService = Omit<NotifySettings, 'open' | 'sealOld'> & {
  /** Sends a test message now, past all rules. @param to e-mail address, for e-mail @throws NotFoundError */
  test(actor: Actor, channel: string, to: string | null): Promise<TestOutcome>;
  /** Newest first. */
  messages(tenant: string, limit: number): Promise<MessageState[]>;
  /** Who was told what about an alert, oldest first. */
  told(tenant: string, alert: string): Promise<ToldAbout[]>;
  /** Resolves when what a former version stored in the clear is sealed. */
  start(): Promise<void>;
  stop(): void;
};
export type NotifyDeps = Pick<Base, 'db' | 'clock' | 'log' | 'bus' | 'metrics'> &
  ComposeDeps & {
    site: SiteService;
    vault: Vault;
    alerts: AlertService;
    jobs: JobService;
    ways: WaysOut;
    /** Tests wait shorter. */
    pace?: { round_ms?: number; deadline_ms?: number; lease_ms?: number; retry_ms?: number };
  };

const QUEUE = 'notify';
const PACE = { round_ms: 10_000, deadline_ms: 30_000, lease_ms: 60_000, retry_ms: 30_000 };
const LONGEST_RETRY_MS = 15 * 60_000;
/** What was refused is tried again seldom: somebody has to mend it. */
const REFUSED_RETRY_MS = 10 * 60_000;
const TRIES_UNTIL_ALERT = 3;
const SEALED =
  'addresses of webhooks were stored in the clear and are sealed now; renew them at their service if others could read the database or the audit log';

/** Defines its queue: make it before the jobs start. */
export function createNotifyService(deps: NotifyDeps): NotifyService {
  const { db, clock, jobs } = deps;
  const pace = { ...PACE, ...deps.pace };
  const rounds = createRounds({ ...deps, settings: () => settings, queue: QUEUE, every_ms: pace.round_ms });
  const settings = createNotifySettings({ db, vault: deps.vault, changed: rounds.soon });
  const deliver = createDelivery(deps, settings, pace, rounds.changed);
  jobs.define<{ tenant: string; message: string }>(QUEUE, ({ tenant, message }) => deliver(tenant, message), {
    ...{ retries: 0, concurrency: 4, timeout_s: 120 },
  });
  const { open, sealOld, ...shown } = settings;
  return {
    ...shown,
    async test(actor, id, to) {
      const channel = await open(actor.tenant, id);
      if (!channel) throw new NotFoundError('There is no such channel.', 'It may have been removed already.');
      const envelope = { id: randomUUID(), made_ms: clock.now(), to, language: actor.language };
      const begun = performance.now();
      const outcome = await openNotifier(actor.tenant, channel, channel.secret, deps.ways)
        .send(composeTest(deps, actor.tenant, envelope), AbortSignal.timeout(pace.deadline_ms))
        .then(
          (text) => ({ ok: true, text }),
          (error: unknown) => ({ ok: false, text: sentenceOf(error) }),
        );
      return { ...outcome, took_ms: Math.round(performance.now() - begun) };
    },
    messages: (tenant, limit) => db.asTenant(tenant, (sql) => lastMessages(sql, limit)),
    told: (tenant, alert) => db.asTenant(tenant, (sql) => toldAbout(sql, alert)),
    async start() {
      rounds.start();
      for (const tenant of deps.site.tenants())
        await sealOld(tenant).then(
          (n) => n > 0 && deps.log.warn({ tenant_id: tenant, channels: n }, SEALED),
          (error: unknown) => deps.log.error({ err: error, tenant_id: tenant }, 'addresses could not be sealed'),
        );
    },
    stop: rounds.stop,
  };
}

type Pace = typeof PACE;

/** @returns the handler of one message: one attempt, written down; the next round sees to the next. */
function createDelivery(deps: NotifyDeps, settings: NotifySettings, pace: Pace, changed: (tenant: string) => void) {
  const { db, clock, alerts, metrics } = deps;
  return async function deliver(tenant: string, id: string): Promise<void> {
    const message = await db.asTenant(tenant, (sql) => claim(sql, id, clock.now(), pace.lease_ms));
    if (!message) return;
    const tried = await attempt(tenant, message);
    const at_ms = clock.now();
    const failing = await db.asTenant(tenant, async (sql) => {
      await settle(sql, tenant, message, { ...tried, at_ms, next_ms: nextTry(message, tried, at_ms, pace) });
      return isFailing(sql, message.channel, TRIES_UNTIL_ALERT);
    });
    changed(tenant);
    metrics.notifications.inc({ outcome: tried.ok ? 'sent' : tried.refused ? 'refused' : 'failed' });
    if (failing) {
      const detail = { name: message.channel_name, text: tried.text };
      await alerts.raise(tenant, ABOUT_CHANNEL, message.channel, 'fault', detail);
    } else if (tried.ok || tried.gone) await alerts.clear(tenant, ABOUT_CHANNEL, message.channel);
  };

  async function attempt(tenant: string, message: WaitingMessage): Promise<Tried> {
    try {
      const channel = await settings.open(tenant, message.channel);
      const recipient = (await settings.recipients(tenant)).find((one) => one.id === message.recipient);
      if (!channel || !recipient)
        return { ok: false, refused: true, gone: true, text: 'The channel or recipient was removed.' };
      if (!channel.enabled || !recipient.enabled)
        return { ok: false, refused: true, gone: true, text: 'The channel or recipient was switched off.' };
      const items = await db.asTenant(tenant, (sql) => itemsOf(sql, message.id));
      const known = await alerts.byId(
        tenant,
        items.map(({ alert }) => alert),
      );
      const told = items.flatMap(({ alert, what }) => {
        const found = known.get(alert);
        return found ? [{ alert: found, what }] : [];
      });
      if (told.length === 0) return { ok: false, refused: true, gone: true, text: 'What it was about was removed.' };
      const envelope = {
        id: message.id,
        made_ms: message.made_ms,
        to: recipient.address,
        language: recipient.language,
      };
      const text = await openNotifier(tenant, channel, channel.secret, deps.ways).send(
        composeMessage(deps, tenant, envelope, told),
        AbortSignal.timeout(pace.deadline_ms),
      );
      return { ok: true, refused: false, gone: false, text };
    } catch (error) {
      return { ok: false, refused: error instanceof InvalidDataError, gone: false, text: sentenceOf(error) };
    }
  }
}

/** `gone`: nobody is there any more to send it to. */
type Tried = Pick<Outcome, 'ok' | 'refused' | 'text'> & { gone: boolean };

/** Doubling up to a quarter of an hour, a fifth more or less so that boxes do not knock at once; null gives up. */
function nextTry(
  { tries, made_ms }: WaitingMessage,
  { ok, refused, gone }: Tried,
  at_ms: number,
  pace: Pace,
): number | null {
  if (ok || gone || at_ms - made_ms > GIVE_UP_MS) return null;
  const doubled_ms = Math.min(pace.retry_ms * 2 ** Math.min(tries - 1, 20), LONGEST_RETRY_MS);
  const wait_ms = refused ? Math.max(doubled_ms, Math.min(REFUSED_RETRY_MS, pace.retry_ms * 20)) : doubled_ms;
  return at_ms + wait_ms * (0.8 + 0.4 * Math.random());
}

function sentenceOf(error: unknown): string {
  const { message, remedy } = error as Error & { remedy?: string };
  return [message, remedy].filter(Boolean).join(' ');
}
