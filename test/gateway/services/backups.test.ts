/** The service around backups: what is due, what is told, one at a time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import { timeOf } from '../../../gateway/backup/folder.ts';
import { sealText } from '../../../gateway/backup/manifest.ts';
import { createSink } from '../../../gateway/backup/sink.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { type BackupDeps, createBackupService } from '../../../gateway/services/backups.ts';
import type { Actor, Workers } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const HOUR = 3_600_000;
const ACTOR: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'luna-backups-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A service whose threads do what the test says. */
function open(
  run: (task: string, input: { id: string }) => Promise<unknown>,
  environment: Record<string, string> = {},
) {
  let now = NOW;
  const open_alerts = new Map<string, string>();
  const deps = {
    config: loadConfig({ LUNA_HOME: home, ...environment }),
    clock: { now: () => now },
    log: silent,
    metrics: createMetrics({ defaults: false }),
    series: { kind: 'memory' },
    journal: { stats: () => ({ released_seq: 0 }), hold: vi.fn() },
    site: { tenants: () => ['default'] },
    alerts: {
      raise: async (_: string, kind: string, __: string, ___: string, detail: { problem: string }) =>
        void open_alerts.set(kind, detail.problem),
      clear: async (_: string, kind: string) => void open_alerts.delete(kind),
    },
    audit: { record: vi.fn() },
    jobs: { define: vi.fn(), schedule: vi.fn() },
    threads: { run, close: async () => {} } as unknown as Workers,
    ...{ cluster: null, journal_dir: join(home, 'journal'), durable: new SharedArrayBuffer(8), version: '0.1.0' },
    pace: { look_ms: 10, first_ms: HOUR },
  } as unknown as BackupDeps;
  return { service: createBackupService(deps), deps, open_alerts, pass: (ms: number) => (now += ms) };
}

/** What the thread would have made. */
async function whole(folder: string, id: string, made_ms: number) {
  const manifest = {
    ...{ format: 1, id, box: 'b', luna: '0.1.0', made_ms, took_ms: 1, database: null, series: null, files: 0 },
    ...{ journal: { after_seq: 0, last_seq: 0, records: 0 }, keys: null, entries: [] },
  };
  await rm(join(folder, `.draft-${id}`), { recursive: true, force: true });
  await createSink(join(folder, id)).write('manifest.json', Buffer.from(sealText(manifest, null)));
  const summary = { id, made_ms, took_ms: 1, bytes: 10, keys: false, database: false, series: false, rows: 0 };
  return { summary, journal_seq: 7 };
}

describe('making a backup', () => {
  it('is told to the audit log, holds the journal, and shows up', async () => {
    const { service, deps } = open((_, { id }) => whole(join(home, 'backups'), id, NOW));
    await service.make(ACTOR);
    expect(deps.journal.hold).toHaveBeenLastCalledWith(7);
    expect(deps.audit.record).toHaveBeenCalledWith(ACTOR, 'backup.make', expect.any(String), expect.anything());
    expect(await service.state()).toMatchObject({ backups: [{ made_ms: NOW }], covered_ms: NOW, same_disk: true });
  });

  it('goes one at a time', async () => {
    let release = () => {};
    const waiting = new Promise<void>((done) => {
      release = done;
    });
    const { service } = open(async (_, { id }) => {
      await waiting;
      return whole(join(home, 'backups'), id, NOW);
    });
    const first = service.make(ACTOR);
    await expect(service.make(ACTOR)).rejects.toThrow(/is being made since 2026-03-01T12:00/);
    release();
    await first;
    expect((await service.state()).backups).toHaveLength(1);
  });

  it('that fails alerts with its reason, and the next that succeeds clears the alert', async () => {
    let broken = true;
    const { service, open_alerts } = open(async (_, { id }) => {
      if (broken) throw new UnavailableError('The disk of the backups is full.', 'Free space on it.');
      return whole(join(home, 'backups'), id, NOW);
    });
    await expect(service.make(ACTOR)).rejects.toThrow('full');
    expect(open_alerts.get('backup_failed')).toBe('The disk of the backups is full. Free space on it.');
    expect((await service.state()).fault?.text).toContain('full');
    broken = false;
    await service.make(ACTOR);
    expect(open_alerts.has('backup_failed')).toBe(false);
    expect((await service.state()).fault).toBeNull();
  });

  it('says so when the disk of the folder is gone', async () => {
    await writeFile(join(home, 'disk'), 'not a folder');
    const { service, open_alerts } = open(async () => null, { LUNA_BACKUP_DIR: join(home, 'disk/backups') });
    await expect(service.make(ACTOR)).rejects.toThrow(/cannot be made or reached/);
    expect(open_alerts.get('backup_failed')).toMatch(/Is its disk there/);
  });
});

describe('what is due', () => {
  it('is a first backup, then what is new every few minutes, then another one after a day', async () => {
    const done: string[] = [];
    const { service, pass } = open(async (task, { id }) => {
      done.push(task);
      return task === 'backup-make' ? whole(join(home, 'backups'), id, timeOf(id)) : { journal_seq: 8, bytes: 1 };
    });
    service.start();
    try {
      await new Promise((tick) => setTimeout(tick, 60));
      expect(done).toEqual([]);
      pass(HOUR);
      await vi.waitFor(() => expect(done).toEqual(['backup-make']), 5000);
      pass(10 * 60_000);
      await vi.waitFor(() => expect(done).toEqual(['backup-make', 'backup-round']), 5000);
      pass(26 * HOUR);
      await vi.waitFor(() => expect(done.filter((task) => task === 'backup-make')).toHaveLength(2), 5000);
    } finally {
      await service.stop();
    }
  });

  it('alerts when the newest backup is older than 26 hours, and makes a new one where it cannot be continued', async () => {
    const done: string[] = [];
    const { service, pass, open_alerts } = open(async (task, { id }) => {
      done.push(task);
      if (task === 'backup-round') throw new UnavailableError('The log has a gap.');
      if (done.length > 1) throw new UnavailableError('The disk is away.');
      return whole(join(home, 'backups'), id, NOW);
    });
    await service.make(ACTOR);
    service.start();
    try {
      pass(16 * 60_000);
      await vi.waitFor(() => expect(done).toContain('backup-round'), 5000);
      await vi.waitFor(() => expect(done.filter((task) => task === 'backup-make')).toHaveLength(2), 5000);
      expect(open_alerts.has('backup_stale')).toBe(false);
      pass(26 * HOUR);
      await vi.waitFor(() => expect(open_alerts.get('backup_stale')).toBeDefined(), 5000);
    } finally {
      await service.stop();
    }
  });

  it('is nothing where backups are off, and the journal holds nothing for them', async () => {
    const run = vi.fn();
    const { service, deps } = open(run, { LUNA_BACKUP_AT: 'off' });
    service.start();
    await service.stop();
    expect(run).not.toHaveBeenCalled();
    expect(deps.journal.hold).toHaveBeenCalledWith(null);
    expect((await service.state()).enabled).toBe(false);
  });
});
