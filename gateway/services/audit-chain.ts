/**
 * The audit log as a hash chain: each entry's SHA-256 covers its content and the hash before it, and the box signs the
 * newest one every few seconds. So whatever is changed, dropped, put in, reordered or cut off shows, and where first.
 */
import { createHash } from 'node:crypto';
import type { AuditHead, AuditTrust } from '../auth/audit-key.ts';
import { type AcceptedKeys, acceptedBy } from './audit-acceptance.ts';

/** As the database writes it: `at` to the microsecond, `detail` as the text of its JSON. */
export type ChainEntry = {
  id: number;
  at: string;
  actor: string;
  act: string;
  object: string;
  detail: string;
  hash: string;
};

export type AuditFault = {
  /** The first wrong entry, as far as can be told. */
  entry: number | null;
  /** A sentence. */
  problem: string;
  /** Nothing else is wrong than that other keys signed up to this entry: the box was restored without its keys, or
   * somebody put another key in their place. An admin may accept it. */
  other_keys?: { key_ids: string[]; through: number };
};
export type AuditState = {
  tenant: string;
  entries: number;
  last: { id: number; hash: string; at: string } | null;
  /** The newest entry that the box signed. */
  signed: { id: number; at: string } | null;
  /** Older entries that a key signed which the box no longer has, and who accepted that with which entry. */
  accepted: AcceptedKeys | null;
  fault: AuditFault | null;
};

/** Hex. The same as luna.audit_hash in the database; docs/guides/audit.md tells it to auditors. */
export function entryHash(tenant: string, entry: Omit<ChainEntry, 'hash'>, former: string): string {
  const { id, at, actor, act, object, detail } = entry;
  const text = JSON.stringify([tenant, id, at, actor, act, object, detail, former]);
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Takes the entries in order of their ids and finds the first that is not as it was written.
 * @param heads all that are known, from the database and from the file outside it
 * @param trust tells what the box signed, and which other keys were accepted with its own
 */
export function createChainCheck(tenant: string, heads: readonly AuditHead[], trust: AuditTrust) {
  const own = heads.filter((head) => head.tenant === tenant).sort((a, b) => a.id - b.id);
  const foreign = own.filter((head) => !trust.isOurs(head));
  let next = 0;
  let fault: AuditFault | null = null;
  let entries = 0;
  let last: ChainEntry | null = null;
  let signed: AuditHead | null = null;
  let accepted: AcceptedKeys | null = null;

  function faultOf(entry: ChainEntry): AuditFault | null {
    const expected = (last?.id ?? 0) + 1;
    if (entry.id > expected) return { entry: expected, problem: missing(expected, entry.id - 1) };
    if (entry.id < expected)
      return { entry: entry.id, problem: `Entry ${entry.id} stands where entry ${expected} belongs.` };
    if (entryHash(tenant, entry, last?.hash ?? '') !== entry.hash)
      return {
        entry: entry.id,
        problem: `Entry ${entry.id} (${entry.at}, ${entry.actor}: ${entry.act} ${entry.object}) is not as it was written.`,
      };
    return null;
  }

  /** The heads of this entry: after a consistent forgery only they tell. */
  function signedFaultOf(entry: ChainEntry): AuditFault | null {
    for (; next < own.length && own[next]!.id <= entry.id; next++) {
      const head = own[next]!;
      if (head.hash !== entry.hash) {
        const from = (signed?.id ?? 0) + 1;
        const which = from === entry.id ? `Entry ${from} is` : `Entries ${from} to ${entry.id} are`;
        return { entry: from, problem: `${which} not what the box signed on ${head.at}, though the hashes fit.` };
      }
      signed = head;
    }
    return null;
  }

  return {
    take(entry: ChainEntry): void {
      entries++;
      fault ??= faultOf(entry) ?? signedFaultOf(entry);
      accepted = acceptedBy(tenant, entry, trust) ?? accepted;
      last = entry;
    },
    end(): AuditState {
      const forged = foreign.find(({ key_id }) => key_id === trust.key_id);
      if (forged)
        fault ??= {
          entry: forged.id,
          problem: `The signature over entry ${forged.id} is not of this box (its key is in LUNA_HOME/audit-key).`,
        };
      const cut = own.at(-1);
      if (cut && cut.id > (last?.id ?? 0))
        fault ??= {
          entry: (last?.id ?? 0) + 1,
          problem: `${missing((last?.id ?? 0) + 1, cut.id)} The box signed entry ${cut.id} on ${cut.at}.`,
        };
      fault ??= otherKeys(foreign, accepted);
      return {
        ...{ tenant, entries, fault, accepted },
        last: last && { id: last.id, hash: last.hash, at: last.at },
        signed: signed && { id: signed.id, at: signed.at },
      };
    },
  };
}

/** Signatures of keys that nobody accepted. Their entries fit their hashes: the chain was followed before. */
function otherKeys(foreign: readonly AuditHead[], accepted: AcceptedKeys | null): AuditFault | null {
  const left = foreign.filter(({ key_id, id }) => !accepted?.former_keys.includes(key_id) || id > accepted.through);
  const last = left.at(-1);
  if (!last) return null;
  const key_ids = [...new Set(foreign.filter(({ id }) => id <= last.id).map(({ key_id }) => key_id))].sort();
  return {
    entry: left[0]!.id,
    problem:
      `Entries up to ${last.id} were signed with another key than the one in LUNA_HOME/audit-key. If the box was ` +
      `restored without its keys, put the former audit-key back, or accept it: ./luna audit accept-key.`,
    other_keys: { key_ids, through: last.id },
  };
}

function missing(from: number, to: number): string {
  return from === to ? `Entry ${from} is missing.` : `Entries ${from} to ${to} are missing.`;
}
