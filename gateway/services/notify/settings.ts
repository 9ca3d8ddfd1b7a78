/** Channels, recipients and rules of notifications, as an admin sets them. Secrets are sealed and never given out. */
import { randomUUID } from 'node:crypto';
import { isEmailAddress } from '../../../connectors/notify/email.ts';
import type { AlertRules } from '../../../engine/alerts/plan.ts';
import type { QuietHours } from '../../../engine/alerts/quiet.ts';
import { type Fault, InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Actor, Base } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import { textFaults, wholeNumberFaults } from '../identifier.ts';
import {
  type Channel,
  type ChannelInput,
  findChannel,
  loadChannels,
  loadOpenChannel,
  type OpenChannel,
  sealAddresses,
  storeChannel,
} from './channel-rows.ts';

export type { Channel, ChannelInput } from './channel-rows.ts';
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

    /** The channel with its address and secret in clear, to send over it; null for one that is gone. */
    open: (tenant: string, id: string): Promise<OpenChannel | null> =>
      db.asTenant(tenant, (sql) => loadOpenChannel(sql, vault, tenant, id)),
    /** Seals what a former version stored in the clear. @returns how many channels */
    sealOld: (tenant: string): Promise<number> => db.asTenant(tenant, (sql) => sealAddresses(sql, vault, tenant)),

    /** Adds a channel, or changes `id`. A webhook without a secret gets one, which is given back this once. */
    async saveChannel(
      actor: Actor,
      input: ChannelInput,
      id?: string,
    ): Promise<{ id: string; made_secret: string | null }> {
      const saved = await db.asTenant(actor.tenant, (sql) => storeChannel(sql, vault, actor, input, id));
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
        ...wholeNumberFaults('group_s', rules.group_s, 0, 3600),
        ...wholeNumberFaults('escalate_min', rules.escalate_min, 1, 10_080),
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

async function storeRecipient(sql: Sql, actor: Actor, input: RecipientInput, given?: string): Promise<{ id: string }> {
  const id = given ?? randomUUID();
  const known = UUID.test(id) ? await sql('select 1 from notify_recipient where id = $1', [id]) : [];
  if (given !== undefined && known.length === 0) throw noSuch('recipient');
  const channel = await findChannel(sql, input.channel);
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

function recipientFaults(input: RecipientInput, kind: string | undefined): Fault[] {
  const { quiet, address } = input;
  const minutes =
    quiet === null
      ? []
      : [
          ...wholeNumberFaults('quiet_from', quiet.from_min, 0, 1439),
          ...wholeNumberFaults('quiet_to', quiet.to_min, 0, 1439),
        ];
  return [
    ...textFaults('name', input.name, 100),
    ...(kind ? [] : [{ where: 'channel', problem: 'is none of yours' }]),
    ...(kind === 'email' && !isEmailAddress(address) ? [{ where: 'address', problem: 'is no e-mail address' }] : []),
    ...wholeNumberFaults('step', input.step, 1, 9),
    ...minutes,
    ...(quiet && quiet.from_min === quiet.to_min
      ? [{ where: 'quiet_to', problem: 'is when they begin; leave both empty for none' }]
      : []),
  ];
}

function noSuch(what: string): NotFoundError {
  return new NotFoundError(`There is no such ${what}.`, 'It may have been removed already.');
}
