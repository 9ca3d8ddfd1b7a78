/**
 * Signs the newest entry of each tenant's audit log every few seconds, and every hundredth on the way there. A head is
 * kept in the database and in a file outside it. What does not continue the last head is not signed.
 */
import type { Logger } from 'pino';
import type { Clock, Database } from '../../engine/ports.ts';
import { type AuditHead, type AuditKey, openAuditKey } from '../auth/audit-key.ts';
import { appendHeads, readHeadFile } from './audit-head-file.ts';
import { headsIn } from './audit-verify.ts';

const EVERY_MS = 5000;
const EVERY_ENTRIES = 100;
const CLOSE_MS = 2000;

export type AuditHeadsDeps = {
  db: Pick<Database, 'asTenant'>;
  clock: Clock;
  log: Logger;
  home: string;
  tenants: () => readonly string[];
  /** Told once when a tenant's log does not continue what was signed. */
  onBroken?: (tenant: string) => void;
};
export type AuditHeads = {
  /** Puts heads that only the file or only the database has into the other, signs what is new, and goes on doing so. */
  start(): Promise<void>;
  /** Signs a last time. */
  stop(): Promise<void>;
  /** Signs what is new of one tenant now. */
  sign(tenant: string): Promise<void>;
};

export function createAuditHeads({ db, clock, log, home, tenants, onBroken }: AuditHeadsDeps): AuditHeads {
  const newest = new Map<string, AuditHead>();
  /** Tenants whose log does not continue the last head; told once. */
  const broken = new Set<string>();
  let key: AuditKey | null = null;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  async function load(): Promise<AuditKey> {
    if (key) return key;
    key = await openAuditKey(home);
    for (const head of await readHeadFile(home)) keep(head);
    return key;
  }

  function keep(head: AuditHead): void {
    if (head.id >= (newest.get(head.tenant)?.id ?? 0)) newest.set(head.tenant, head);
  }

  async function store(tenant: string, heads: readonly AuditHead[]): Promise<void> {
    await db.asTenant(tenant, async (sql) => {
      for (const { id, hash, at, key_id, signature } of heads)
        await sql(
          `insert into audit_head (tenant_id, id, hash, at, key_id, signature) values ($1, $2, $3, $4, $5, $6)
            on conflict do nothing`,
          [tenant, id, hash, at, key_id, signature],
        );
    });
  }

  /** A kill between file and database, or a restore, leaves one of them behind the other. */
  async function reconcile(tenant: string): Promise<void> {
    const { isOurs } = await load();
    const outside = (await readHeadFile(home)).filter((head) => head.tenant === tenant);
    const inside = await db.asTenant(tenant, (sql) => headsIn(sql, tenant));
    const lacksOf = (heads: readonly AuditHead[], others: readonly AuditHead[]) => {
      const there = new Set(others.map(({ id }) => id));
      return heads.filter((head) => !there.has(head.id) && isOurs(head));
    };
    // They are in the database; a disk that is full at the start is no reason not to start.
    await appendHeads(home, lacksOf(inside, outside)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
      log.warn({ err: error }, 'signed heads of the audit log wait for room in their file');
    });
    await store(tenant, lacksOf(outside, inside));
    const last = inside.findLast(isOurs);
    if (last) keep(last);
  }

  async function signNew(tenant: string): Promise<void> {
    const { sign } = await load();
    const last = newest.get(tenant);
    const rows = await db.asTenant(tenant, (sql) =>
      sql<{ id: number; hash: string }>(
        `select id, hash from audit where id = $1 or id > $1
            and (id % ${EVERY_ENTRIES} = 0 or id = (select max(id) from audit)) order by id`,
        [last?.id ?? 0],
      ),
    );
    const continued = !last || rows[0]?.hash === last.hash;
    if (!continued) {
      if (broken.has(tenant)) return;
      broken.add(tenant);
      log.error(
        { tenant_id: tenant, entry: last.id },
        'the audit log does not continue what was signed: luna audit verify',
      );
      onBroken?.(tenant);
      return;
    }
    broken.delete(tenant);
    const at = new Date(clock.now()).toISOString();
    const heads = rows.filter(({ id }) => id > (last?.id ?? 0)).map((row) => sign({ tenant, ...row, at }));
    if (heads.length === 0) return;
    await appendHeads(home, heads);
    for (const head of heads) keep(head);
    await store(tenant, heads);
  }

  /** One at a time, so that no head is written twice. */
  function alone(work: () => Promise<void>): Promise<void> {
    const mine = working.then(work);
    working = mine.catch(() => {});
    return mine;
  }

  const signAll = () =>
    alone(async () => {
      for (const tenant of tenants()) await signNew(tenant);
    }).catch((error: unknown) => log.warn({ err: error }, 'the audit log could not be signed; it is tried again'));

  return {
    async start() {
      await alone(async () => {
        for (const tenant of tenants()) await reconcile(tenant);
      });
      await signAll();
      timer = setInterval(signAll, EVERY_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await Promise.race([signAll(), new Promise((done) => setTimeout(done, CLOSE_MS).unref())]);
    },
    sign: (tenant) => alone(() => signNew(tenant)),
  };
}
