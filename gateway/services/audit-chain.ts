/**
 * The audit log as a hash chain: each entry's SHA-256 covers its content and the hash before it, and the box signs the
 * newest one every few seconds. So whatever is changed, dropped, put in, reordered or cut off shows, and where first.
 */
import { createHash } from 'node:crypto';
import type { AuditHead } from '../auth/audit-key.ts';

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
};
export type AuditState = {
  tenant: string;
  entries: number;
  last: { id: number; hash: string; at: string } | null;
  /** The newest entry that the box signed. */
  signed: { id: number; at: string } | null;
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
 * @param isOurs whether the box signed a head
 */
export function createChainCheck(tenant: string, heads: readonly AuditHead[], isOurs: (head: AuditHead) => boolean) {
  const own = heads.filter((head) => head.tenant === tenant).sort((a, b) => a.id - b.id);
  const forged = own.find((head) => !isOurs(head));
  let next = 0;
  let fault: AuditFault | null = null;
  let entries = 0;
  let last: ChainEntry | null = null;
  let signed: AuditHead | null = null;

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
      last = entry;
    },
    end(): AuditState {
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
      return {
        ...{ tenant, entries, fault },
        last: last && { id: last.id, hash: last.hash, at: last.at },
        signed: signed && { id: signed.id, at: signed.at },
      };
    },
  };
}

function missing(from: number, to: number): string {
  return from === to ? `Entry ${from} is missing.` : `Entries ${from} to ${to} are missing.`;
}
