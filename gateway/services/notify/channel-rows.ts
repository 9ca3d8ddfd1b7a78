/**
 * Channels as the database holds them. Passwords and signing secrets are sealed, and so is the address of a webhook:
 * whoever has one of Slack, Teams or ntfy may write there. Only its host stands in the clear, here and in the audit log.
 */
import { randomUUID } from 'node:crypto';
import { newWebhookSecret } from '../../../connectors/notify/webhook.ts';
import type { Severity } from '../../../engine/alerts/plan.ts';
import { type Fault, InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import { isSealed, type Vault } from '../../auth/vault.ts';
import type { Actor } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import { textFaults, wholeNumberFaults } from '../identifier.ts';
import { type ChannelSettings, parseChannelSettings, SEVERITIES } from './channel.ts';

export type ChannelInput = {
  name: string;
  kind: string;
  /** The address of a webhook left out keeps the present one. */
  settings: unknown;
  /** Password or signing secret; left out keeps the present one. */
  secret?: string | undefined;
  min_severity: Severity;
  repeat_min: number | null;
  enabled: boolean;
};
/** Settings without what is secret in them. */
export type ShownSettings =
  | Exclude<ChannelSettings, { kind: 'webhook' }>
  | { kind: 'webhook'; settings: { host: string } };
export type Channel = ShownSettings & {
  id: string;
  name: string;
  has_secret: boolean;
  min_severity: Severity;
  repeat_min: number | null;
  enabled: boolean;
};
/** With address and secret in the clear, to send over it. */
export type OpenChannel = ChannelSettings & { enabled: boolean; secret: string | null };

type ChannelRow = {
  id: string;
  name: string;
  kind: string;
  settings: Record<string, unknown>;
  sealed: string | null;
  min_severity: Severity;
  repeat_min: number | null;
  enabled: boolean;
};
const CHANNELS = 'select id, name, kind, settings, sealed, min_severity, repeat_min, enabled from notify_channel';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MOST_CHANNELS = 50;

/** Which secret a sealed text is: it opens nowhere else. */
const contextOf = (tenant: string, id: string, what: '' | '/url' = '') => `${tenant}/notify/${id}${what}`;

export async function loadChannels(sql: Sql): Promise<Channel[]> {
  return (await sql<ChannelRow>(`${CHANNELS} order by created_at, id`)).map(channelOf);
}

function channelOf({ sealed, kind, settings, ...row }: ChannelRow): Channel {
  return { ...row, ...shownSettings(kind, settings), has_secret: sealed !== null } as Channel;
}

function shownSettings(kind: string, settings: Record<string, unknown>): ShownSettings {
  if (kind === 'webhook') return { kind, settings: { host: String(settings.host ?? hostOf(settings.url)) } };
  return parseChannelSettings(kind, settings) as ShownSettings;
}

const hostOf = (url: unknown): string => URL.parse(String(url))?.host ?? '';

/** @returns null for one that is gone @throws InvalidDataError for what another key sealed */
export async function loadOpenChannel(sql: Sql, vault: Vault, tenant: string, id: string): Promise<OpenChannel | null> {
  const row = await findChannel(sql, id);
  if (!row) return null;
  return {
    ...parseChannelSettings(row.kind, openSettings(vault, tenant, row)),
    enabled: row.enabled,
    secret: row.sealed === null ? null : vault.open(row.sealed, contextOf(tenant, id)),
  };
}

function openSettings(vault: Vault, tenant: string, { id, kind, settings }: ChannelRow): Record<string, unknown> {
  if (kind !== 'webhook') return settings;
  const url = String(settings.url);
  return { url: isSealed(url) ? vault.open(url, contextOf(tenant, id, '/url')) : url };
}

export async function findChannel(sql: Sql, id: string): Promise<ChannelRow | null> {
  return UUID.test(id) ? ((await sql<ChannelRow>(`${CHANNELS} where id = $1`, [id]))[0] ?? null) : null;
}

/** As the database holds them. */
function sealSettings(vault: Vault, tenant: string, id: string, { kind, settings }: ChannelSettings): object {
  if (kind !== 'webhook') return settings;
  return { host: hostOf(settings.url), url: vault.seal(settings.url, contextOf(tenant, id, '/url')) };
}

/** Seals the addresses of webhooks that a former version wrote in the clear. @returns how many */
export async function sealAddresses(sql: Sql, vault: Vault, tenant: string): Promise<number> {
  const rows = await sql<ChannelRow>(`${CHANNELS} where kind = 'webhook' for update`);
  const plain = rows.filter(({ settings }) => !isSealed(String(settings.url)));
  for (const { id, kind, settings } of plain) {
    const sealed = sealSettings(vault, tenant, id, parseChannelSettings(kind, { url: settings.url }));
    await sql('update notify_channel set settings = $2 where id = $1', [id, JSON.stringify(sealed)]);
  }
  return plain.length;
}

/** Adds or changes a channel, with its audit entry. */
export async function storeChannel(
  sql: Sql,
  vault: Vault,
  actor: Actor,
  input: ChannelInput,
  given?: string,
): Promise<{ id: string; made_secret: string | null }> {
  const { tenant } = actor;
  const id = given ?? randomUUID();
  await sql('select 1 from notify_channel where id::text = $1 for update', [id]);
  const known = await findChannel(sql, id);
  if (given !== undefined && !known)
    throw new NotFoundError('There is no such channel.', 'It may have been removed already.');
  const channel = checkedChannel(input, known && { ...known, settings: openKept(vault, tenant, known, input) });
  const { kind } = channel;
  const name = await freeName(sql, id, input.name.trim(), known === null);
  const made_secret = kind === 'webhook' && input.secret === undefined && !known?.sealed ? newWebhookSecret() : null;
  const secret = input.secret ?? made_secret;
  const kept = known && (kind === 'webhook' || placeOf(known) === placeOf(channel)) ? known.sealed : null;
  const sealed = secret === null ? kept : vault.seal(secret, contextOf(tenant, id));
  const { min_severity, repeat_min, enabled } = input;
  const settings = sealSettings(vault, tenant, id, channel);
  await sql(
    `insert into notify_channel (tenant_id, id, name, kind, settings, sealed, min_severity, repeat_min, enabled)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, id) do update set name = excluded.name, settings = excluded.settings, sealed = excluded.sealed,
       min_severity = excluded.min_severity, repeat_min = excluded.repeat_min, enabled = excluded.enabled`,
    [tenant, id, name, kind, JSON.stringify(settings), sealed, min_severity, repeat_min, enabled],
  );
  // What waits is tried with the new settings at once.
  await sql(
    `update notify_message set next_try_at = made_at, refused = false where channel_id = $1 and state = 'waiting'`,
    [id],
  );
  const shown = shownSettings(kind, channel.settings).settings;
  const detail = { kind, settings: shown, min_severity, repeat_min, enabled, new_secret: secret !== null };
  await writeAudit(sql, actor, known ? 'change notification channel' : 'add notification channel', name, detail);
  return { id, made_secret };
}

/** The present settings in the clear, where something of them is to be kept: else a lost key would bar the way. */
function openKept(
  vault: Vault,
  tenant: string,
  known: ChannelRow,
  { settings }: ChannelInput,
): Record<string, unknown> {
  return known.kind === 'webhook' && givenUrl(settings) !== null ? {} : openSettings(vault, tenant, known);
}

function givenUrl(settings: unknown): string | null {
  const { url } = (settings ?? {}) as { url?: unknown };
  return url === undefined || url === '' ? null : String(url);
}

async function freeName(sql: Sql, id: string, name: string, added: boolean): Promise<string> {
  const others = await sql<{ name: string }>('select name from notify_channel where id::text <> $1', [id]);
  const refuse = (problem: string) =>
    new InvalidDataError('This cannot be saved.', 'Mend what is named.', [{ where: 'name', problem }]);
  if (others.some((one) => one.name === name)) throw refuse('belongs to another channel');
  if (added && others.length >= MOST_CHANNELS) throw refuse(`there are ${MOST_CHANNELS} channels already`);
  return name;
}

function checkedChannel(input: ChannelInput, known: ChannelRow | null): ChannelSettings {
  if (known && known.kind !== input.kind)
    throw new InvalidDataError('The kind of a channel stays.', 'Add another channel.');
  const faults = [
    ...textFaults('name', input.name, 100),
    ...(SEVERITIES.includes(input.min_severity) ? [] : [{ where: 'min_severity', problem: 'is none' }]),
    ...(input.repeat_min === null ? [] : wholeNumberFaults('repeat_min', input.repeat_min, 5, 10_080)),
    ...(input.secret === undefined ? [] : textFaults('secret', input.secret, 1000)),
  ];
  const parsed = parsedOr(faults, input, known);
  if (parsed === null || faults.length > 0)
    throw new InvalidDataError('The channel cannot be saved like this.', 'Mend what is named.', faults);
  return parsed;
}

function parsedOr(faults: Fault[], { kind, settings, secret }: ChannelInput, known: ChannelRow | null) {
  if (kind === 'webhook' && secret !== undefined && !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret))
    faults.push({
      where: 'secret',
      problem: 'is whsec_ and at least 24 bytes in base64; leave it out, and the box makes one',
    });
  const keeps = kind === 'webhook' && known !== null && givenUrl(settings) === null;
  try {
    return parseChannelSettings(kind, keeps ? { ...(settings as object), url: known.settings.url } : settings);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    faults.push(...error.faults);
    return null;
  }
}

/**
 * Where a password goes and how it is guarded on the way. A kept one goes only there: who may change the address, switch
 * the encryption off or name another certificate to believe may not thereby read it.
 */
function placeOf({ kind, settings }: { kind: string; settings: object }): string {
  const { host, port, broker, security, tls, ca_pem } = settings as Record<string, unknown>;
  return JSON.stringify([kind, broker, host, port, security, tls, ca_pem ?? null]);
}
