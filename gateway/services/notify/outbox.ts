/**
 * What is to be told and what was: one round of planning writes messages with what they are about, in one transaction;
 * from then on they exist and are delivered at least once, however often the box is killed.
 */
import {
  ABOUT_CHANNEL,
  type AlertRules,
  createPlanning,
  type PastMessage,
  type PlannedAlert,
  type PlannedMessage,
  type PlannedRecipient,
  type Severity,
  type Told,
  type What,
} from '../../../engine/alerts/plan.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Channel, Recipient } from './settings.ts';

export type WaitingMessage = {
  id: string;
  recipient: string;
  recipient_name: string;
  channel: string;
  channel_name: string;
  severity: Severity;
  made_ms: number;
  tries: number;
};
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Alerts that ended longer ago are told no more. */
const PAST_MS = 3 * DAY_MS;
const KEPT_MS = 90 * DAY_MS;
const MOST_ALERTS = 20_000;
/** Alerts that are looked at and items that are written in one go. */
const PART = 250;
const WRITTEN = 2000;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** The severities from the least to the worst, as the database compares them. */
const RANK = (column: string) => `array_position(array['info', 'warning', 'fault'], ${column})`;
/** As exact as an instant is here, so that no alert stands in two parts. */
const RAISED = `date_trunc('milliseconds', a.raised_at)`;
const TOLD = `select from notify_item i join notify_message m on m.id = i.message_id
  where i.alert_id = a.id and i.recipient_id = p.id`;
const NEWS = `i.what in ('opened', 'escalated')`;
/** At least those alerts for which `engine/alerts/plan.ts` finds something to tell, now or later, repetitions only now. */
const PENDING = `
  with person as (
    select * from jsonb_to_recordset($1::jsonb)
      as p (id uuid, channel text, mirrors boolean, min_severity text, repeat_min integer))
  select a.id, a.kind, a.object, a.severity, a.round, a.raised_at, a.closed_at, a.acknowledged_at from alert a
  where (a.closed_at is null or a.closed_at > $2) and (${RAISED}, a.id) > ($4, $5::uuid) and exists (
    select from person p where case
      when a.closed_at is not null then
        exists (${TOLD} and ${NEWS} and (m.state = 'sent' or m.state = 'waiting' and not m.refused))
        and not exists (${TOLD} and i.what = 'solved' and i.round = a.round)
      when a.acknowledged_at is not null then
        p.mirrors and exists (${TOLD} and ${NEWS}) and not exists (${TOLD} and i.what = 'acknowledged' and i.round = a.round)
      else ${RANK('a.severity')} >= ${RANK('p.min_severity')} and not (a.kind = '${ABOUT_CHANNEL}' and a.object = p.channel) and (
        not exists (${TOLD} and ${NEWS} and i.round = a.round)
        or p.repeat_min is not null and not exists (${TOLD} and i.what in ('opened', 'escalated', 'repeated')
          and i.round = a.round and (m.state <> 'sent' or m.made_at > $3::timestamptz - p.repeat_min * interval '1 minute')))
      end)
  order by ${RAISED}, a.id limit $6`;
/** A message that was never taken is given up after this. */
export const GIVE_UP_MS = DAY_MS;

export type RoundInput = {
  tenant: string;
  now_ms: number;
  time_zone: string;
  rules: AlertRules;
  channels: readonly Channel[];
  recipients: readonly Recipient[];
};
/** How many messages were made, and until when nothing is due unless something changes. */
export type RoundOutcome = { made: number; next_ms: number };

/**
 * Plans and writes the messages of one tenant. One round at a time, whoever asks. Alerts of which nobody is to be told
 * anything are left where they are; the others are looked at in parts, so that many do not hold up those who wait.
 */
export async function planRound(sql: Sql, input: RoundInput): Promise<RoundOutcome> {
  await sql(`select pg_advisory_xact_lock(hashtextextended($1, 7391))`, [`notify ${input.tenant}`]);
  const { now_ms, time_zone, rules, tenant } = input;
  const on = new Map(input.channels.filter(({ enabled }) => enabled).map((channel) => [channel.id, channel]));
  const recipients = input.recipients.filter(({ enabled, channel }) => enabled && on.has(channel));
  if (recipients.length === 0) return { made: 0, next_ms: Number.POSITIVE_INFINITY };
  const people = recipients.map(({ id, channel, step, quiet, faults_break_through }) => {
    const { kind, min_severity, repeat_min } = on.get(channel)!;
    return { id, channel, mirrors: kind === 'mqtt', min_severity, repeat_min, step, quiet, faults_break_through };
  });
  const messages = await messagesSince(sql, new Date(now_ms - HOUR_MS));
  const planning = createPlanning({ now_ms, time_zone, rules, recipients: people, messages });
  for await (const alerts of pendingAlerts(sql, people, now_ms))
    planning.add(
      alerts,
      await toldOf(
        sql,
        alerts.map(({ id }) => id),
      ),
    );
  const plan = planning.finish();
  for (const message of plan.messages) {
    const recipient = recipients.find(({ id }) => id === message.recipient)!;
    await write(sql, tenant, now_ms, message, recipient, on.get(recipient.channel)!.name);
  }
  return { made: plan.messages.length, next_ms: plan.next_ms };
}

/** The alerts of which somebody may have to be told something, oldest first, in parts. */
async function* pendingAlerts(
  sql: Sql,
  people: readonly PlannedRecipient[],
  now_ms: number,
): AsyncGenerator<PlannedAlert[]> {
  const asked = JSON.stringify(people);
  let [after, id] = [new Date(0), NO_ID];
  for (let count = 0; count < MOST_ALERTS; count += PART) {
    const rows = await sql<Omit<PlannedAlert, 'raised_ms' | 'closed_ms' | 'acknowledged_ms'> & Instants>(PENDING, [
      ...[asked, new Date(now_ms - PAST_MS), new Date(now_ms), after, id, PART],
    ]);
    if (rows.length > 0)
      yield rows.map(({ raised_at, closed_at, acknowledged_at, ...alert }) => ({
        ...alert,
        raised_ms: raised_at.getTime(),
        closed_ms: closed_at?.getTime() ?? null,
        acknowledged_ms: acknowledged_at?.getTime() ?? null,
      }));
    const last = rows.at(-1);
    if (!last || rows.length < PART) return;
    [after, id] = [last.raised_at, last.id];
  }
}
type Instants = { raised_at: Date; closed_at: Date | null; acknowledged_at: Date | null };

async function toldOf(sql: Sql, alerts: readonly string[]): Promise<Told[]> {
  const rows = await sql<Omit<Told, 'at_ms' | 'sent'> & { made_at: Date; state: string }>(
    `select i.alert_id as alert, i.recipient_id as recipient, i.round, i.what, i.n, m.made_at, m.state, m.refused
     from notify_item i join notify_message m on m.id = i.message_id where i.alert_id = any($1::uuid[])`,
    [alerts],
  );
  return rows.map(({ made_at, state, refused, ...told }) => ({
    ...told,
    at_ms: made_at.getTime(),
    sent: state === 'sent',
    refused: refused || state === 'given up',
  }));
}

async function messagesSince(sql: Sql, since: Date): Promise<PastMessage[]> {
  const rows = await sql<{ recipient: string; severity: Severity; made_at: Date }>(
    'select recipient_id as recipient, severity, made_at from notify_message where made_at > $1',
    [since],
  );
  return rows.map(({ made_at, ...message }) => ({ ...message, at_ms: made_at.getTime() }));
}

async function write(
  sql: Sql,
  tenant: string,
  now_ms: number,
  plan: PlannedMessage,
  to: Recipient,
  channel: string,
): Promise<void> {
  const [message] = await sql<{ id: string }>(
    `insert into notify_message (tenant_id, recipient_id, recipient_name, channel_id, channel_name, severity, made_at, next_try_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) returning id`,
    [tenant, to.id, to.name, to.channel, channel, plan.severity, new Date(now_ms)],
  );
  for (let from = 0; from < plan.items.length; from += WRITTEN)
    await sql(
      `insert into notify_item (tenant_id, alert_id, recipient_id, round, what, n, message_id)
       select $1, alert, $2, round, what, n, $3
       from jsonb_to_recordset($4::jsonb) as item (alert uuid, round integer, what text, n integer)`,
      [tenant, to.id, message!.id, JSON.stringify(plan.items.slice(from, from + WRITTEN))],
    );
}

/** Due to be sent now. One put off for longer than an hour stems from a clock that was wrong. */
const DUE = `state = 'waiting' and (next_try_at <= $1 or next_try_at > $1 + interval '1 hour')`;

export async function dueMessages(sql: Sql, now_ms: number): Promise<string[]> {
  const rows = await sql<{ id: string }>(`select id from notify_message where ${DUE} order by made_at limit 200`, [
    new Date(now_ms),
  ]);
  return rows.map(({ id }) => id);
}

/** Takes the message for one attempt; null where another attempt has it, or it is done. */
export async function claim(sql: Sql, id: string, now_ms: number, lease_ms: number): Promise<WaitingMessage | null> {
  const [row] = await sql<Omit<WaitingMessage, 'made_ms'> & { made_at: Date }>(
    `update notify_message set tries = tries + 1, next_try_at = $3 where id = $2 and ${DUE}
     returning id, recipient_id as recipient, recipient_name, channel_id as channel, channel_name, severity, made_at, tries`,
    [new Date(now_ms), id, new Date(now_ms + lease_ms)],
  );
  if (!row) return null;
  const { made_at, ...message } = row;
  return { ...message, made_ms: made_at.getTime() };
}

export type Outcome = { at_ms: number; ok: boolean; text: string; refused: boolean; next_ms: number | null };

/** Writes down how an attempt went; `next_ms` null gives the message up unless it was taken. */
export async function settle(sql: Sql, tenant: string, message: WaitingMessage, outcome: Outcome): Promise<void> {
  const { at_ms, ok, text, refused, next_ms } = outcome;
  const state = ok ? 'sent' : next_ms === null ? 'given up' : 'waiting';
  await sql(
    `insert into notify_attempt (tenant_id, message_id, n, at, ok, text) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, message_id, n) do nothing`,
    [tenant, message.id, message.tries, new Date(at_ms), ok, text],
  );
  await sql(
    `update notify_message set state = $2, refused = $3, outcome = $4, sent_at = $5, next_try_at = coalesce($6, next_try_at) where id = $1`,
    [message.id, state, refused, text, ok ? new Date(at_ms) : null, next_ms === null ? null : new Date(next_ms)],
  );
}

export type ItemRow = { alert: string; what: What };

export async function itemsOf(sql: Sql, message: string): Promise<ItemRow[]> {
  return sql<ItemRow>(
    `select i.alert_id as alert, i.what from notify_item i join alert a on a.id = i.alert_id where i.message_id = $1
     order by array_position(array['opened', 'escalated', 'repeated', 'acknowledged', 'solved'], i.what),
       array_position(array['fault', 'warning', 'info'], a.severity), a.opened_at, a.id`,
    [message],
  );
}

/** Whether messages over the channel wait although they were tried. */
export async function isFailing(sql: Sql, channel: string, tries: number): Promise<boolean> {
  const rows = await sql(
    `select 1 from notify_message where channel_id = $1 and state = 'waiting' and outcome is not null and (refused or tries >= $2) limit 1`,
    [channel, tries],
  );
  return rows.length > 0;
}

/** Forgets messages after 90 days, but for those about what is still open: they are why nobody is told twice. */
export async function forgetOld(sql: Sql, now_ms: number): Promise<void> {
  await sql(
    `delete from notify_message m where m.made_at < $1 and not exists (
       select 1 from notify_item i join alert a on a.id = i.alert_id where i.message_id = m.id and a.closed_at is null)`,
    [new Date(now_ms - KEPT_MS)],
  );
}

export type MessageState = {
  id: string;
  recipient_name: string;
  channel_name: string;
  severity: Severity;
  made_ms: number;
  state: 'waiting' | 'sent' | 'given up';
  tries: number;
  next_try_ms: number | null;
  sent_ms: number | null;
  outcome: string | null;
  alerts: number;
};
type MessageRow = Omit<MessageState, 'made_ms' | 'next_try_ms' | 'sent_ms'> & {
  made_at: Date;
  next_try_at: Date;
  sent_at: Date | null;
};
const MESSAGE = `m.id, m.recipient_name, m.channel_name, m.severity, m.made_at, m.state, m.tries, m.next_try_at, m.sent_at, m.outcome,
  (select count(*)::int from notify_item i where i.message_id = m.id) as alerts`;

export async function lastMessages(sql: Sql, limit: number): Promise<MessageState[]> {
  const rows = await sql<MessageRow>(`select ${MESSAGE} from notify_message m order by m.made_at desc, m.id limit $1`, [
    Math.min(limit, 500),
  ]);
  return rows.map(stateOf);
}

export type ToldAbout = MessageState & { what: What };

/** Who was told what about one alert, oldest first. */
export async function toldAbout(sql: Sql, alert: string): Promise<ToldAbout[]> {
  const rows = await sql<MessageRow & { what: What }>(
    `select i.what, ${MESSAGE} from notify_item i join notify_message m on m.id = i.message_id
     where i.alert_id = $1 order by m.made_at, m.recipient_name`,
    [alert],
  );
  return rows.map(({ what, ...row }) => ({ ...stateOf(row), what }));
}

function stateOf({ made_at, next_try_at, sent_at, ...row }: MessageRow): MessageState {
  return {
    ...row,
    made_ms: made_at.getTime(),
    next_try_ms: row.state === 'waiting' ? next_try_at.getTime() : null,
    sent_ms: sent_at?.getTime() ?? null,
  };
}
