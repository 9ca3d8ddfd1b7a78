/** The audit log as a chain: signing it, verifying it, and handing it out to be verified elsewhere. */

import { InvalidDataError } from '../../engine/errors.ts';
import { type AuditKey, openAuditKey } from '../auth/audit-key.ts';
import type { Actor, AlertService, Base } from '../services.ts';
import { writeAudit } from './audit.ts';
import { ACCEPT_ACT, acceptanceDetail } from './audit-acceptance.ts';
import type { AuditState } from './audit-chain.ts';
import { type AuditHeads, createAuditHeads } from './audit-heads.ts';
import { entriesIn, headsIn, readEntries, verifyAudit } from './audit-verify.ts';

/** Each entry is sealed with the one before, and the box signs the newest. */
export interface AuditChainService {
  /** Whether the log is as it was written, and the first entry that is not. Reads all of it. */
  verify(tenant: string): Promise<AuditState>;
  /** The same, up to half a minute old. */
  state(tenant: string): Promise<AuditState>;
  /** JSON lines with the hashes, the signatures and the public key, to verify elsewhere (docs/guides/audit.md). */
  export(tenant: string): AsyncIterable<string>;
  /**
   * Accepts that older entries were signed by keys that the box lost; the present one vouches for them from now on.
   * @returns the state after it; null where there is nothing to accept
   * @throws InvalidDataError where something else is wrong, which no key explains
   */
  acceptKeys(actor: Actor): Promise<AuditState | null>;
}

/** A page that is looked at often must not read the whole log each time. */
const STATE_MS = 30_000;
const VERIFY_EVERY_MS = 24 * 3_600_000;
const VERIFY_FIRST_MS = 120_000;

export type AuditChainDeps = Pick<Base, 'db' | 'clock' | 'log'> & {
  config: Pick<Base['config'], 'home'>;
  tenants: () => readonly string[];
  alerts: Pick<AlertService, 'raise' | 'clear'>;
};

/** `start` begins to sign the newest entries and to verify the whole each day, `stop` signs a last time. */
export function createAuditChainService(deps: AuditChainDeps): AuditChainService & Pick<AuditHeads, 'start' | 'stop'> {
  const { db, clock, config, log, alerts } = deps;
  const verifySoon = (tenant: string) =>
    void verify(tenant).catch((error: unknown) => log.warn({ err: error }, 'the audit log could not be verified'));
  // Not at once: the signing that noticed it has to end first.
  const heads = createAuditHeads({
    ...deps,
    home: config.home,
    onBroken: (tenant) => setImmediate(() => verifySoon(tenant)),
  });
  let timer: NodeJS.Timeout | undefined;
  let key: AuditKey | undefined;
  const verifyAll = () => deps.tenants().forEach(verifySoon);
  const states = new Map<string, { at_ms: number; state: Promise<AuditState> }>();

  async function verify(tenant: string): Promise<AuditState> {
    // So that what stands there now is signed, where it continues what was signed before.
    await heads.sign(tenant);
    key ??= await openAuditKey(config.home);
    const state = await verifyAudit({ db, home: config.home, tenant, key });
    const { fault } = state;
    if (fault) await alerts.raise(tenant, 'audit_broken', 'audit', 'fault', { problem: fault.problem });
    else await alerts.clear(tenant, 'audit_broken', 'audit');
    return state;
  }

  async function acceptKeys(actor: Actor): Promise<AuditState | null> {
    const { tenant } = actor;
    const { fault } = await verify(tenant);
    if (!fault) return null;
    if (!fault.other_keys)
      throw new InvalidDataError(
        `The audit log of ${tenant} is not as it was written: ${fault.problem}`,
        'No other key explains that, so nothing was accepted.',
      );
    key ??= await openAuditKey(config.home);
    const { key_ids, through } = fault.other_keys;
    const { accept, key_id } = key;
    await db.asTenant(tenant, async (sql) => {
      const [last] = await readEntries(sql, tenant, through - 1, 1);
      const acceptance = { tenant, former_keys: key_ids, through, sealed: last?.hash ?? '' };
      await writeAudit(sql, actor, ACCEPT_ACT, key_id, acceptanceDetail(acceptance, key_id, accept(acceptance)));
    });
    states.delete(tenant);
    return verify(tenant);
  }

  return {
    verify,
    acceptKeys,
    state(tenant) {
      const known = states.get(tenant);
      if (known && Math.abs(clock.now() - known.at_ms) < STATE_MS) return known.state;
      const state = verify(tenant);
      states.set(tenant, { at_ms: clock.now(), state });
      state.catch(() => states.delete(tenant));
      return state;
    },
    async *export(tenant) {
      const { key_id, public_key } = await openAuditKey(config.home);
      yield line({ kind: 'key', tenant, key_id, public_key });
      const read = (after: number, limit: number) =>
        db.asTenant(tenant, (sql) => readEntries(sql, tenant, after, limit));
      for await (const batch of entriesIn(read))
        yield batch.map(({ id, ...entry }) => line({ kind: 'entry', tenant, id, ...entry })).join('');
      await heads.sign(tenant);
      for (const head of await db.asTenant(tenant, (sql) => headsIn(sql, tenant)))
        yield line({ kind: 'head', ...head });
    },
    async start() {
      await heads.start();
      // Soon after each start too: a box that is started anew every day would never come to it.
      timer = setTimeout(() => {
        verifyAll();
        timer = setInterval(verifyAll, VERIFY_EVERY_MS).unref();
      }, VERIFY_FIRST_MS).unref();
    },
    async stop() {
      clearTimeout(timer);
      clearInterval(timer);
      await heads.stop();
    },
  };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
