/** The service around backups: what is due, what is told, one at a time. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogGapError, UnavailableError } from '../../../engine/errors.ts';
import { type Claim, claimFolder } from '../../../gateway/backup/claim.ts';
import { FAULT_KINDS, unavailable } from '../../../gateway/backup/faults.ts';
import { idOf, listIds, nextNumber, summaryOf } from '../../../gateway/backup/folder.ts';
import { lookAtFolder } from '../../../gateway/backup/look.ts';
import { sealText } from '../../../gateway/backup/manifest.ts';
import { createSink } from '../../../gateway/backup/sink.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { type BackupDeps, createBackupService } from '../../../gateway/services/backups.ts';
import type { Actor, Workers } from '../../../gateway/services.ts';
import { createTranslate } from '../../../web/i18n/text.ts';
import { silent } from '../../setup/database.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const HOUR = 3_600_000;
const ACTOR: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'luna-backups-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

type Input = Claim & { home: string; id: string; started_ms: number; snapshot: string | null };
type Run = (task: string, input: Input) => Promise<object | null>;

/** A service whose processes do what the test says; the folder is looked at and claimed as in life. */
function open(run: Run, environment: Record<string, string> = {}, change: Partial<BackupDeps> = {}) {
  let now = NOW;
  let counted = 1_000_000;
  const open_alerts = new Map<string, string>();
  const process = async (task: string, input: Input) => {
    if (task === 'backup-claim') return claimFolder(input);
    if (task === 'backup-look' && input.claimed) await claimFolder(input);
    if (task === 'backup-look') return lookAtFolder(input);
    const made = await run(task, input);
    return { ...made, look: await lookAtFolder(input) };
  };
  const deps = {
    config: loadConfig({ LUNA_HOME: home, ...environment }),
    clock: { now: () => now, monotonic: () => counted },
    log: silent,
    metrics: createMetrics({ defaults: false }),
    series: { kind: 'memory' },
    journal: { stats: () => ({ released_seq: 0 }), hold: vi.fn() },
    alerts: {
      raise: async (tenant: string, kind: string, object: string, _: string, detail: { problem: string }) =>
        void open_alerts.set(`${tenant} ${kind} ${object}`, detail.problem),
      clear: async (tenant: string, kind: string, object: string) =>
        void open_alerts.delete(`${tenant} ${kind} ${object}`),
    },
    audit: { record: vi.fn() },
    jobs: { define: vi.fn(), schedule: vi.fn() },
    processes: { run: process, close: async () => {} } as unknown as Workers,
    ...{ cluster: null, journal_dir: join(home, 'journal'), durable: new SharedArrayBuffer(8), version: '0.1.0' },
    pace: { look_ms: 10, first_ms: HOUR },
    ...change,
  } as unknown as BackupDeps;
  const service = createBackupService(deps);
  return {
    ...{ service, deps, open_alerts, state: () => service.state(ACTOR) },
    pass(ms: number) {
      now += ms;
      counted += ms;
    },
    /** The wall clock alone. */
    jump: (ms: number) => (now += ms),
  };
}

/** What the process would have made. */
async function whole({ folder, started_ms: made_ms }: Input) {
  const id = idOf(nextNumber(await listIds(folder)), made_ms);
  const manifest = {
    ...{ format: 1, id, box: 'b', luna: '0.1.0', made_ms, took_ms: 1, database: null, series: null, files: 0 },
    ...{ journal: { after_seq: 0, last_seq: 0, records: 0 }, keys: null, left_out: [], entries: [] },
  };
  await createSink(join(folder, id)).write('manifest.json', Buffer.from(sealText(manifest, null)));
  return { summary: summaryOf(manifest), journal_seq: 7 };
}
const making: Run = async (task, input) => (task === 'backup-make' ? whole(input) : { journal_seq: 8, bytes: 1 });

describe('making a backup', () => {
  it('is told to the audit log, holds the journal, and shows up', async () => {
    const { service, deps, state } = open(making);
    await service.make(ACTOR);
    expect(deps.journal.hold).toHaveBeenLastCalledWith(7);
    expect(deps.audit.record).toHaveBeenCalledWith(ACTOR, 'backup.make', expect.any(String), expect.anything());
    expect(state()).toMatchObject({ backups: [{ made_ms: NOW }], covered_ms: NOW, same_disk: true });
    expect(service.check()).toMatch(/000001_.*It holds no keys/);
  });

  it('goes one at a time', async () => {
    let release = () => {};
    const waiting = new Promise<void>((done) => {
      release = done;
    });
    const { service, state } = open(async (_, input) => {
      await waiting;
      return whole(input);
    });
    const first = service.make(ACTOR);
    await expect(service.make(ACTOR)).rejects.toThrow(/is being made since 2026-03-01T12:00/);
    release();
    await first;
    expect(state().backups).toHaveLength(1);
  });

  it('that fails alerts with its reason, and the next that succeeds clears the alert', async () => {
    let broken = true;
    const { service, open_alerts, state } = open(async (_, input) => {
      if (broken) throw unavailable('folder_full', 'The disk of the backups is full.', 'Free space on it.');
      return whole(input);
    });
    await expect(service.make(ACTOR)).rejects.toThrow('full');
    expect(open_alerts.get('default backup_failed backup')).toBe('The disk of the backups is full. Free space on it.');
    expect(state().fault).toMatchObject({ kind: 'folder_full', text: expect.stringContaining('full') });
    broken = false;
    await service.make(ACTOR);
    expect([...open_alerts.keys()]).toEqual([]);
    expect(state().fault).toBeNull();
  });

  it('says so when the disk of the folder is gone', async () => {
    await writeFile(join(home, 'disk'), 'not a folder');
    const { service, open_alerts } = open(async () => null, { LUNA_BACKUP_DIR: join(home, 'disk/backups') });
    await expect(service.make(ACTOR)).rejects.toThrow(/cannot be made or reached/);
    expect(open_alerts.get('default backup_failed backup')).toMatch(/Is its disk there/);
  });

  it('is refused, like a look at them, to the admins of another organisation', async () => {
    const run = vi.fn();
    const { service } = open(run);
    const other = { ...ACTOR, tenant: 'acme' };
    expect(() => service.state(other)).toThrow(/belong to the organisation/);
    await expect(service.make(other)).rejects.toThrow(/belong to the organisation/);
    await expect(service.make({ ...ACTOR, role: 'analyst' })).rejects.toThrow(/belong to the organisation/);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('the disk of the backups', () => {
  it('unplugged, is noticed: nothing is written into its empty mount point until an admin says so', async () => {
    const mount = join(home, 'mnt/backups');
    const { service, open_alerts, state } = open(making, { LUNA_BACKUP_DIR: mount });
    await service.make(ACTOR);
    await rm(mount, { recursive: true });
    await mkdir(mount);
    await expect(service.make(ACTOR)).rejects.toThrow(/not there any more: its disk is not mounted/);
    expect(open_alerts.get('default backup_failed backup')).toMatch(/Connect the disk.*--new-folder/);
    expect(state().fault?.kind).toBe('folder_gone');
    expect(await readdir(mount)).toEqual([]);
    // Gone with its folder, it is not made anew either.
    await rm(mount, { recursive: true });
    await expect(service.make(ACTOR)).rejects.toThrow(/not there any more/);
    expect(await readdir(join(home, 'mnt'))).toEqual([]);
    await service.make(ACTOR, { new_folder: true });
    expect(state()).toMatchObject({ fault: null, backups: [{ made_ms: NOW }] });
    expect([...open_alerts.keys()]).toEqual([]);
  });

  it('is missed by a box that starts without it', async () => {
    const environment = { LUNA_BACKUP_DIR: join(home, 'mnt') };
    await open(making, environment).service.make(ACTOR);
    await rm(join(home, 'mnt'), { recursive: true });
    const { service, open_alerts } = open(making, environment);
    service.start();
    try {
      await vi.waitFor(() => expect(open_alerts.get('default backup_failed folder')).toMatch(/not there any more/));
    } finally {
      await service.stop();
    }
  });

  it('hanging, holds up neither the page nor the writer of the series store', async () => {
    const snapshot = vi.fn(async (file: string) => writeFile(file, 'copy').then(() => ({ cursor: 1 })));
    const series = { kind: 'duckdb', snapshot } as unknown as BackupDeps['series'];
    const { service, state } = open(() => new Promise(() => {}), {}, { series });
    void service.make(ACTOR).catch(() => {});
    await vi.waitFor(() => expect(snapshot).toHaveBeenCalledTimes(1));
    // On the disk of the box, whatever the folder does.
    expect(snapshot.mock.calls[0]?.[0]).toBe(join(home, '.backup/series.duckdb'));
    expect(state()).toMatchObject({ running_since_ms: NOW, backups: [] });
  });
});

it('a full disk of the box is told in words, and the half copy goes', async () => {
  const snapshot = async (file: string) => {
    await writeFile(file, 'half');
    throw new Error('ENOSPC: no space left on device, write');
  };
  const series = { kind: 'duckdb', snapshot } as unknown as BackupDeps['series'];
  const { service, state } = open(making, {}, { series });
  await expect(service.make(ACTOR)).rejects.toThrow(/disk of the box has no room/);
  expect(state().fault?.kind).toBe('home_full');
  expect(await readdir(home)).not.toContain('.backup');
  const short = open(making, { LUNA_DISK_LOW_BYTES: '900000000000000' }, { series });
  await expect(short.service.make(ACTOR)).rejects.toThrow(/no room.*MB are needed/);
});

describe('what is due', () => {
  const begun = async (run: Run, environment: Record<string, string> = {}) => {
    const done: string[] = [];
    const one = open(async (task, input) => {
      done.push(task);
      return run(task, input);
    }, environment);
    const count = (task: string) => done.filter((name) => name === task).length;
    const reaches = (task: string, n: number) =>
      vi.waitFor(() => expect(count(task)).toBeGreaterThanOrEqual(n), 15_000);
    return { ...one, done, count, reaches };
  };

  it('is a first backup, then what is new every few minutes, then another one after a day', async () => {
    const { service, pass, done, count, reaches } = await begun(making);
    service.start();
    try {
      await new Promise((tick) => setTimeout(tick, 60));
      expect(done).toEqual([]);
      pass(HOUR);
      await reaches('backup-make', 1);
      await vi.waitFor(() => expect(service.state(ACTOR).running_since_ms).toBeNull());
      expect(count('backup-make')).toBe(1);
      const before = count('backup-round');
      pass(10 * 60_000);
      await reaches('backup-round', before + 1);
      pass(26 * HOUR);
      await reaches('backup-make', 2);
    } finally {
      await service.stop();
    }
  });

  it('goes by the counting clock: jumps of the wall clock neither stop copies nor hide that a backup is old', async () => {
    let works = true;
    const { service, pass, jump, count, reaches, open_alerts, state } = await begun(async (task, input) => {
      if (!works) throw new UnavailableError('The disk is away.');
      return making(task, input);
    });
    // Ten years ahead, and right again.
    jump(3650 * 24 * HOUR);
    await service.make(ACTOR);
    jump(-3650 * 24 * HOUR);
    service.start();
    try {
      pass(11 * 60_000);
      await reaches('backup-round', 1);
      expect(state().stale).toBe(false);
      works = false;
      pass(27 * HOUR);
      await vi.waitFor(() => expect(open_alerts.has('default backup_stale backup')).toBe(true));
      expect(state().stale).toBe(true);
      works = true;
      pass(HOUR);
      await vi.waitFor(() => expect(open_alerts.has('default backup_stale backup')).toBe(false));
      expect(state().backups[0]!.id).toMatch(/^000002_2026/);
      jump(-24 * HOUR);
      const before = count('backup-round');
      pass(11 * 60_000);
      await reaches('backup-round', before + 1);
    } finally {
      await service.stop();
    }
  });

  it('is a new backup at once where the newest was written by a clock that was ahead', async () => {
    const first = open(making);
    first.jump(3650 * 24 * HOUR);
    await first.service.make(ACTOR);
    const { service, reaches, state } = await begun(making);
    service.start();
    try {
      await reaches('backup-make', 1);
      await vi.waitFor(() => expect(state().backups[0]?.id).toMatch(/^000002_2026-03-01/));
    } finally {
      await service.stop();
    }
  });

  it('alerts when the newest backup is older than 26 hours, and makes a new one where it cannot be continued', async () => {
    let n = 0;
    const { service, pass, reaches, open_alerts } = await begun(async (task, input) => {
      if (task === 'backup-round') throw new UnavailableError('The folder is read only.');
      if (++n > 1) throw new UnavailableError('The disk is away.');
      return whole(input);
    });
    await service.make(ACTOR);
    service.start();
    try {
      pass(16 * 60_000);
      await reaches('backup-round', 1);
      await reaches('backup-make', 2);
      expect(open_alerts.has('default backup_stale backup')).toBe(false);
      pass(26 * HOUR);
      await vi.waitFor(() => expect(open_alerts.get('default backup_stale backup')).toBeDefined(), 5000);
    } finally {
      await service.stop();
    }
  });

  it('a copy that succeeds does not hide that the last backup failed', async () => {
    let works = true;
    const { service, pass, reaches, open_alerts, state } = await begun(
      async (task, input) => {
        if (task === 'backup-make' && !works) throw new UnavailableError('There is no room for a whole one.');
        return making(task, input);
      },
      { LUNA_BACKUP_EVERY_MIN: '1' },
    );
    await service.make(ACTOR);
    works = false;
    await expect(service.make(ACTOR)).rejects.toThrow(/no room/);
    service.start();
    try {
      // Before the next try of a whole one.
      for (const n of [1, 2, 3]) {
        pass(61_000);
        await reaches('backup-round', n);
      }
      expect(open_alerts.get('default backup_failed backup')).toMatch(/no room/);
      expect(state().fault?.text).toMatch(/no room/);
    } finally {
      await service.stop();
    }
  });

  it('after a restore or with another passphrase a new backup is begun, and nobody is alarmed', async () => {
    let gap = false;
    const { service, pass, deps, reaches } = await begun(async (task, input) => {
      if (task === 'backup-round' && gap) throw new LogGapError('The database was restored since.');
      return making(task, input);
    });
    const raise = vi.spyOn(deps.alerts, 'raise');
    await service.make(ACTOR);
    gap = true;
    service.start();
    try {
      pass(11 * 60_000);
      await reaches('backup-round', 1);
      await reaches('backup-make', 2);
      expect(raise.mock.calls).toEqual([]);
    } finally {
      await service.stop();
    }
  });

  it('is nothing where backups are off, and the journal holds nothing for them', async () => {
    const run = vi.fn();
    const { service, deps, state } = open(run, { LUNA_BACKUP_AT: 'off' });
    service.start();
    await service.stop();
    expect(run).not.toHaveBeenCalled();
    expect(deps.journal.hold).toHaveBeenCalledWith(null);
    expect(state().enabled).toBe(false);
  });

  it('an interval with which more than 15 minutes could be lost is refused', () => {
    expect(() => loadConfig({ LUNA_HOME: home, LUNA_BACKUP_EVERY_MIN: '14' })).toThrow(/backup_every_min/);
  });
});

it('has words for each kind of fault, in both languages', () => {
  for (const kind of FAULT_KINDS) {
    const [en, de] = (['en', 'de'] as const).map((language) => createTranslate(language)(`backup_fault.${kind}`));
    expect(en?.length, kind).toBeGreaterThan(10);
    expect(de, kind).not.toBe(en);
  }
});
