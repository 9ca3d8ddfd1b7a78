/**
 * The act by which an admin accepts that older entries of the audit log were signed by a key that the box no longer
 * has: an entry like any other, so that it is chained and signed, and with a signature of its own over which keys and
 * up to which entry, so that nobody makes one who has only the database.
 */
import { z } from 'zod';
import type { AuditTrust, KeyAcceptance } from '../auth/audit-key.ts';
import type { ChainEntry } from './audit-chain.ts';

export const ACCEPT_ACT = 'accept audit key';

/** Who accepted, with which entry, that up to `through` other keys signed. */
export type AcceptedKeys = { entry: number; at: string; actor: string; former_keys: string[]; through: number };

const DetailSchema = z.object({
  former_keys: z.array(z.string()),
  through: z.number().int(),
  sealed: z.string(),
  acceptance: z.string(),
});

/** What the entry says of it. */
export function acceptanceDetail(
  { former_keys, through, sealed }: KeyAcceptance,
  key_id: string,
  acceptance: string,
): Record<string, unknown> {
  return { key_id, former_keys, through, sealed, acceptance };
}

/** @returns null for any other entry, and for an acceptance that another key than the present one signed. */
export function acceptedBy(tenant: string, entry: ChainEntry, trust: AuditTrust): AcceptedKeys | null {
  if (entry.act !== ACCEPT_ACT) return null;
  const parsed = DetailSchema.safeParse(parse(entry.detail));
  if (!parsed.success || parsed.data.through >= entry.id) return null;
  const { former_keys, through, sealed, acceptance } = parsed.data;
  if (!trust.hasAccepted({ tenant, former_keys, through, sealed }, acceptance)) return null;
  return { entry: entry.id, at: entry.at, actor: entry.actor, former_keys, through };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
