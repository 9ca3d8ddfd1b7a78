/**
 * Webhook: a POST of JSON, signed as the Standard Webhooks specification says (github.com/standard-webhooks,
 * spec/standard-webhooks.md): HMAC-SHA256 over `id.timestamp.body`, base64, in `webhook-signature: v1,…`. The
 * timestamp lets the receiver refuse what somebody recorded and plays again; the id is the same in every attempt.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { Clock, Notifier, NotifierMessage } from '../../engine/ports.ts';
import { beginning, connectionFault, withoutSecrets } from './faults.ts';

export type WebhookSettings = { url: string };
/** The part of fetch that is needed; the box hands in one that lets out only to addresses that are allowed. */
export type WebhookFetch = (
  url: string,
  init: { method: 'POST'; headers: Record<string, string>; body: string; signal: AbortSignal; redirect: 'error' },
) => Promise<{ status: number; headers: { get(name: string): string | null }; body: AsyncIterable<Uint8Array> | null }>;
export type WebhookOptions = { settings: WebhookSettings; secret: string; fetch: WebhookFetch; clock: Clock };

const ANSWER_BYTES = 4096;
/** Receivers bound the size of a body. */
const MOST_LISTED = 200;
/** Statuses of the 4xx range under which the same request may work later (RFC 9110, 6585, 8470). */
const LATER = [408, 409, 423, 425, 429];

/** A new signing secret: 32 random bytes as the specification writes them. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** @param secret `whsec_` and base64 */
export function webhookSignature(secret: string, id: string, timestamp_s: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp_s}.${body}`).digest('base64')}`;
}

export function createWebhookNotifier({ settings, secret, fetch, clock }: WebhookOptions): Notifier {
  const where = `The address ${hostOf(settings.url)}`;
  return {
    async send(message, signal) {
      const body = JSON.stringify(payloadOf(message));
      const timestamp_s = Math.floor(clock.now() / 1000);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'luna-iems',
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp_s),
        'webhook-signature': webhookSignature(secret, message.id, timestamp_s, body),
      };
      try {
        const answer = await fetch(settings.url, { method: 'POST', headers, body, signal, redirect: 'error' });
        const told = await readBeginning(answer.body);
        const said = beginning(withoutSecrets(told, [secret, ...partsOf(settings.url)]));
        if (answer.status >= 200 && answer.status < 300) return `HTTP ${answer.status}${said ? `: ${said}` : ''}`;
        throw refusal(where, answer.status, said);
      } catch (error) {
        if (error instanceof UnavailableError) throw error;
        throw connectionFault(where, error, signal);
      }
    },
  };
}

/** The documented payload (docs/guides/alerts.md); fields are added, never changed. */
function payloadOf({ id, made_ms, subject, text, test, site, language, alerts, more }: NotifierMessage) {
  const more_alerts = more + Math.max(0, alerts.length - MOST_LISTED);
  return {
    ...{ id, type: test ? 'test' : 'alerts', made_at: iso(made_ms), site, language, subject, text, more_alerts },
    alerts: alerts.slice(0, MOST_LISTED).map(({ opened_ms, closed_ms, ...alert }) => ({
      ...alert,
      opened_at: iso(opened_ms),
      closed_at: closed_ms === null ? null : iso(closed_ms),
    })),
  };
}

function refusal(where: string, status: number, said: string): Error {
  const words = `HTTP ${status}${said ? `, ${said}` : ''}`;
  return status >= 500 || LATER.includes(status)
    ? new UnavailableError(`${where} cannot take the message now (${words}).`, 'The box tries again by itself.')
    : new InvalidDataError(`${where} refuses the message (${words}).`, 'Check the address and what answers there.');
}

/** What the receiver says is only shown: its beginning is enough, and one that never ends costs nothing. */
async function readBeginning(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES).toString('utf8');
}

/** What of an address only those know who may write there: path and query, as a whole and piece by piece. */
function partsOf(text: string): string[] {
  const url = URL.parse(text);
  if (!url) return [];
  const pieces = [...url.pathname.split('/'), ...url.searchParams.values()];
  return [url.pathname + url.search, url.pathname, url.username, url.password, ...pieces, ...pieces.map(decoded)];
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

/** Path and query may hold a token. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'of the webhook';
}

function iso(at_ms: number): string {
  return new Date(at_ms).toISOString();
}
