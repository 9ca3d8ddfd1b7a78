/** An alert reaches its reader although the process is killed while it tells, and a restart does not tell it again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { openReceiver } from '../../connectors/notify/smtp-receiver.ts';
import { copyTemplate, silent } from '../../setup/database.ts';
import { createNotifyRig, mailTo } from './notify-rig.ts';

let child: ChildProcess | null = null;
let home = '';
afterEach(async () => {
  await kill();
  if (home) await rm(home, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const file = join(import.meta.dirname, 'notify-child.ts');
  child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
}
async function kill(): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
async function withDatabase<T>(work: (rig: ReturnType<typeof createNotifyRig>) => Promise<T>): Promise<T> {
  const db = await openEmbeddedPostgres({ home, log: silent });
  try {
    await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('default', 'd') on conflict do nothing`));
    return await work(createNotifyRig(db));
  } finally {
    await db.close();
  }
}

describe('notifications over a kill', () => {
  it('tell what was being told, once more and then never again', async () => {
    home = await mkdtemp(join(tmpdir(), 'luna-notify-'));
    await copyTemplate(home);
    const receiver = await openReceiver();
    let reached = 0;
    receiver.onConnection(() => reached++);
    await withDatabase(async (rig) => {
      await rig.alerts.raise('default', 'series_store_down', 'series store', 'fault');
      await mailTo(rig, receiver.port);
    });
    // The mail server takes the connection and says nothing: the message is on its way when the process dies.
    receiver.behave('silent');
    await start();
    await expect.poll(() => reached, { timeout: 30_000 }).toBeGreaterThan(0);
    await kill();
    expect(receiver.mails).toEqual([]);
    receiver.behave('well');
    await start();
    await expect.poll(() => receiver.mails.length, { timeout: 30_000 }).toBe(1);
    expect(receiver.mails[0]!.text).toContain('The series store does not take readings');
    // Time to write down that it went out, then another kill.
    await sleep(1000);
    await kill();
    await start();
    await sleep(2500);
    await kill();
    expect(receiver.mails).toHaveLength(1);
    const sent = await withDatabase((rig) => rig.notify.messages('default', 10));
    expect(sent).toMatchObject([{ state: 'sent', tries: 2, recipient_name: 'mail' }]);
    await receiver.close();
  }, 90_000);
});
