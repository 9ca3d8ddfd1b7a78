/** Channels, recipients and rules of notifications, as an admin sets them. Secrets are sealed and never given out. */
import { randomUUID } from 'node:crypto';
import { isEmailAddress } from '../../../connectors/notify/email.ts';
import { newWebhookSecret } from '../../../connectors/notify/webhook.ts';
import type { AlertRules, Severity } from '../../../engine/alerts/plan.ts';
import type { QuietHours } from '../../../engine/alerts/quiet.ts';
import { type Fault, InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Actor, Base } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import { textFaults } from '../identifier.ts';
import { type ChannelSettings, parseChannelSettings, SEVERITIES } from './channel.ts';

export type ChannelInput = {
  name: string;
  kind: string;
  settings: unknown;
  /** Password or signing secret; left out keeps the present one. */
  secret?: string | undefined;
  min_severity: Severity;
  repeat_min: number | null;
  enabled: boolean;
};
export type Channel = ChannelSettings & {
  id: string;
  name: string;
  has_secret: boolean;
  min_severity: Severity;
  repeat_min: number | null;
  enabled: boolean;
};
export type RecipientInput = {
  channel: string;
  name: string;
  address: string | null;
  language: 'en' | 'de';
  step: number;
  quiet: QuietHours | null;
  faults_break_through: boolean;
  enabled: boolean;
};
export type Recipient = RecipientInput & { id: string };

export const DEFAULT_RULES: AlertRules = { group_s: 60, escalate_min: 30 };
const RULES = 'notification rules';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MOST_CHANNELS = 50;
const MOST_RECIPIENTS = 200;

export type NotifySettings = ReturnType<typeof createNotifySettings>;

export function createNotifySettings({
  db,
  vault,
  changed,
}: Pick<Base, 'db'> & { vault: Vault; changed: (tenant: string) => void }) {
  return {
    channels: (tenant: string): Promise<Channel[]> => db.asTenant(tenant, loadChannels),
    recipients: (tenant: string): Promise<Recipient[]> => db.asTenant(tenant, loadRecipients),
    rules: (tenant: string): Promise<AlertRules> => db.asTenant(tenant, loadRules),

    /** The channel with its secret in clear, to send over it; null for one that is gone. */
    async open(tenant: string, id: string): Promise<(Channel & { secret: string | null }) | null> {
      if (!UUID.test(id)) return null;
      const [row] = await db.asTenant(tenant, (sql) => sql<ChannelRow>(`${CHANNELS} where id = $1`, [id]));
      if (!row) return null;
      return { ...channelOf(row), secret: row.sealed === null ? null : vault.open(row.sealed, contextOf(tenant, id)) };
    },

    /** Adds a channel, or changes `id`. A webhook without a secret gets one, which is given back this once. */
    async saveChannel(
      actor: Actor,
      input: ChannelInput,
      id?: string,
    ): Promise<{ id: string; made_secret: string | null }> {
      const channel = checkedChannel(input);
      const saved = await db.asTenant(actor.tenant, (sql) => storeChannel(sql, vault, actor, channel, input, id));
      changed(actor.tenant);
      return saved;
    },
    async removeChannel(actor: Actor, id: string): Promise<void> {
      await db.asTenant(actor.tenant, async (sql) => {
        const [gone] = UUID.test(id)
          ? await sql<{ name: string }>('delete from notify_channel where id = $1 returning name', [id])
          : [];
        if (!gone) throw noSuch('channel');
        await writeAudit(sql, actor, 'remove notification channel', gone.name);
      });
      changed(actor.tenant);
    },

    async saveRecipient(actor: Actor, input: RecipientInput, id?: string): Promise<{ id: string }> {
      const saved = await db.asTenant(actor.tenant, (sql) => storeRecipient(sql, actor, input, id));
      changed(actor.tenant);
      return saved;
    },
    async removeRecipient(actor: Actor, id: string): Promise<void> {
      await db.asTenant(actor.tenant, async (sql) => {
        const [gone] = UUID.test(id)
          ? await sql<{ name: string }>('delete from notify_recipient where id = $1 returning name', [id])
          : [];
        if (!gone) throw noSuch('recipient');
        await writeAudit(sql, actor, 'remove notification recipient', gone.name);
      });
      changed(actor.tenant);
    },

    async saveRules(actor: Actor, rules: AlertRules): Promise<void> {
      const faults = [
        ...wholeNumber('group_s', rules.group_s, 0, 3600),
        ...wholeNumber('escalate_min', rules.escalate_min, 1, 10_080),
      ];
      if (faults.length > 0)
        throw new InvalidDataError('The rules cannot be saved like this.', 'Mend what is named.', faults);
      await db.asTenant(actor.tenant, async (sql) => {
        await sql(
          `insert into setting (tenant_id, name, value) values ($1, $2, $3)
           on conflict (tenant_id, name) do update set value = excluded.value`,
          [actor.tenant, RULES, JSON.stringify(rules)],
        );
        await writeAudit(sql, actor, 'change notification rules', RULES, { ...rules });
      });
      changed(actor.tenant);
    },
  };
}

type ChannelRow = Omit<Channel, 'has_secret'> & { sealed: string | null };
const CHANNELS = 'select id, name, kind, settings, sealed, min_severity, repeat_min, enabled from notify_channel';

/** Which secret a sealed text is: it opens nowhere else. */
function contextOf(tenant: string, id: string): string {
  return `${tenant}/notify/${id}`;
}

function channelOf({ sealed, kind, settings, ...row }: ChannelRow): Channel {
  return { ...row, ...parseChannelSettings(kind, settings), has_secret: sealed !== null } as Channel;
}

async function loadChannels(sql: Sql): Promise<Channel[]> {
  return (await sql<ChannelRow>(`${CHANNELS} order by created_at, id`)).map(channelOf);
}

type RecipientRow = Omit<Recipient, 'quiet' | 'channel'> & {
  channel_id: string;
  quiet_from_min: number | null;
  quiet_to_min: number | null;
};

async function loadRecipients(sql: Sql): Promise<Recipient[]> {
  const rows = await sql<RecipientRow>(
    `select id, channel_id, name, address, language, step, quiet_from_min, quiet_to_min, faults_break_through, enabled
     from notify_recipient order by step, created_at, id`,
  );
  return rows.map(({ quiet_from_min: from_min, quiet_to_min: to_min, channel_id, ...row }) => ({
    ...row,
    channel: channel_id,
    quiet: from_min === null || to_min === null ? null : { from_min, to_min },
  }));
}

async function loadRules(sql: Sql): Promise<AlertRules> {
  const [row] = await sql<{ value: Partial<AlertRules> }>('select value from setting where name = $1', [RULES]);
  return { ...DEFAULT_RULES, ...row?.value };
}

function checkedChannel(input: ChannelInput): ChannelSettings {
  const faults = [
    ...textFaults('name', input.name, 100),
    ...(SEVERITIES.includes(input.min_severity) ? [] : [{ where: 'min_severity', problem: 'is none' }]),
    ...(input.repeat_min === null ? [] : wholeNumber('repeat_min', input.repeat_min, 5, 10_080)),
    ...(input.secret === undefined ? [] : textFaults('secret', input.secret, 1000)),
  ];
  const parsed = parsedOr(faults, input);
  if (parsed === null || faults.length > 0)
    throw new InvalidDataError('The channel cannot be saved like this.', 'Mend what is named.', faults);
  return parsed;
}

function parsedOr(faults: Fault[], { kind, settings, secret }: ChannelInput): ChannelSettings | null {
  if (kind === 'webhook' && secret !== undefined && !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret))
    faults.push({
      where: 'secret',
      problem: 'is whsec_ and at least 24 bytes in base64; leave it out, and the box makes one',
    });
  try {
    return parseChannelSettings(kind, settings);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    faults.push(...error.faults);
    return null;
  }
}

async function storeChannel(
  sql: Sql,
  vault: Vault,
  { tenant, ...rest }: Actor,
  { kind, settings }: ChannelSettings,
  input: ChannelInput,
  given?: string,
): Promise<{ id: string; made_secret: string | null }> {
  const id = given ?? randomUUID();
  const [known] = UUID.test(id) ? await sql<ChannelRow>(`${CHANNELS} where id = $1 for update`, [id]) : [];
  if (given !== undefined && !known) throw noSuch('channel');
  if (known && known.kind !== kind) throw new InvalidDataError('The kind of a channel stays.', 'Add another channel.');
  const others = await sql<{ name: string }>('select name from notify_channel where id <> $1', [id]);
  const name = input.name.trim();
  if (others.some((one) => one.name === name)) throw fault('name', 'belongs to another channel');
  if (!known && others.length >= MOST_CHANNELS) throw fault('name', `there are ${MOST_CHANNELS} channels already`);
  const made_secret = kind === 'webhook' && input.secret === undefined && !known?.sealed ? newWebhookSecret() : null;
  const secret = input.secret ?? made_secret;
  // A kept password goes only where it went before: who may change the address may not thereby read it.
  const moved = known ? placeOf(known) !== placeOf({ kind, settings } as ChannelSettings) : false;
  const sealed =
    secret !== null
      ? vault.seal(secret, contextOf(tenant, id))
      : moved && kind !== 'webhook'
        ? null
        : (known?.sealed ?? null);
  await sql(
    `insert into notify_channel (tenant_id, id, name, kind, settings, sealed, min_severity, repeat_min, enabled)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, id) do update set name = excluded.name, settings = excluded.settings, sealed = excluded.sealed,
       min_severity = excluded.min_severity, repeat_min = excluded.repeat_min, enabled = excluded.enabled`,
    [tenant, id, name, kind, JSON.stringify(settings), sealed, input.min_severity, input.repeat_min, input.enabled],
  );
  // What waits is tried with the new settings at once.
  await sql(
    `update notify_message set next_try_at = made_at, refused = false where channel_id = $1 and state = 'waiting'`,
    [id],
  );
  const { min_severity, repeat_min, enabled } = input;
  const detail = { kind, settings, min_severity, repeat_min, enabled, new_secret: secret !== null };
  await writeAudit(
    sql,
    { tenant, ...rest },
    known ? 'change notification channel' : 'add notification channel',
    name,
    detail,
  );
  return { id, made_secret };
}

function placeOf({ kind, settings }: Pick<Channel, 'kind' | 'settings'>): string {
  const { host, port, broker } = settings as { host?: string; port?: number; broker?: string };
  return `${kind} ${broker} ${host}:${port}`;
}

async function storeRecipient(sql: Sql, actor: Actor, input: RecipientInput, given?: string): Promise<{ id: string }> {
  const id = given ?? randomUUID();
  const known = UUID.test(id) ? await sql('select 1 from notify_recipient where id = $1', [id]) : [];
  if (given !== undefined && known.length === 0) throw noSuch('recipient');
  const channel = UUID.test(input.channel)
    ? (await sql<ChannelRow>(`${CHANNELS} where id = $1`, [input.channel]))[0]
    : undefined;
  const [{ n } = { n: 0 }] = await sql<{ n: number }>('select count(*)::int as n from notify_recipient');
  const faults = recipientFaults(input, channel?.kind);
  if (given === undefined && n >= MOST_RECIPIENTS)
    faults.push({ where: 'name', problem: `there are ${n} recipients already` });
  if (faults.length > 0)
    throw new InvalidDataError('The recipient cannot be saved like this.', 'Mend what is named.', faults);
  const { name, language, step, quiet, faults_break_through, enabled } = input;
  const address = channel?.kind === 'email' ? input.address : null;
  await sql(
    `insert into notify_recipient (tenant_id, id, channel_id, name, address, language, step, quiet_from_min, quiet_to_min,
       faults_break_through, enabled) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (tenant_id, id) do update set channel_id = excluded.channel_id, name = excluded.name,
       address = excluded.address, language = excluded.language, step = excluded.step,
       quiet_from_min = excluded.quiet_from_min, quiet_to_min = excluded.quiet_to_min,
       faults_break_through = excluded.faults_break_through, enabled = excluded.enabled`,
    [
      actor.tenant,
      id,
      input.channel,
      name.trim(),
      address,
      language,
      step,
      quiet?.from_min ?? null,
      quiet?.to_min ?? null,
      faults_break_through,
      enabled,
    ],
  );
  await sql(
    `update notify_message set next_try_at = made_at, refused = false where recipient_id = $1 and state = 'waiting'`,
    [id],
  );
  const act = given === undefined ? 'add notification recipient' : 'change notification recipient';
  await writeAudit(sql, actor, act, name.trim(), { ...input, channel: channel?.name });
  return { id };
}

function recipientFaults(input: RecipientInput, kind: Channel['kind'] | undefined): Fault[] {
  const { quiet, address } = input;
  const minutes =
    quiet === null
      ? []
      : [...wholeNumber('quiet_from', quiet.from_min, 0, 1439), ...wholeNumber('quiet_to', quiet.to_min, 0, 1439)];
  return [
    ...textFaults('name', input.name, 100),
    ...(kind ? [] : [{ where: 'channel', problem: 'is none of yours' }]),
    ...(kind === 'email' && !isEmailAddress(address) ? [{ where: 'address', problem: 'is no e-mail address' }] : []),
    ...wholeNumber('step', input.step, 1, 9),
    ...minutes,
    ...(quiet && quiet.from_min === quiet.to_min
      ? [{ where: 'quiet_to', problem: 'is when they begin; leave both empty for none' }]
      : []),
  ];
}

function wholeNumber(where: string, value: number, min: number, max: number): Fault[] {
  return Number.isInteger(value) && value >= min && value <= max
    ? []
    : [{ where, problem: `is a whole number from ${min} to ${max}` }];
}

function fault(where: string, problem: string): InvalidDataError {
  return new InvalidDataError('This cannot be saved.', 'Mend what is named.', [{ where, problem }]);
}

function noSuch(what: string): NotFoundError {
  return new NotFoundError(`There is no such ${what}.`, 'It may have been removed already.');
}
