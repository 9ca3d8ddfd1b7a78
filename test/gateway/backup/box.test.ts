/** Promise: who loses the box with its disk loses at most the last minutes. The commands are those of the guide. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';

const MAIN = join(import.meta.dirname, '../../../gateway/main.ts');
/** Every second here; 15 min at most in life. */
const EVERY_MS = 1000;
/** A look at what is due, the copy itself, and a machine that builds. */
const SLACK_MS = 6_000;
const PASSPHRASE = 'four words are enough here';
const T_ERASED = Math.floor(Date.now() / 1000) * 1000 - 7_200_000;

let root: string;
let folder: string;
let box: Box;
let key: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'luna-rpo-'));
  folder = join(root, 'backups');
  await writeFile(join(root, 'passphrase'), PASSPHRASE, { mode: 0o600 });
  box = await startBox({
    LUNA_BACKUP_DIR: folder,
    LUNA_BACKUP_EVERY_MIN: String(EVERY_MS / 60_000),
    LUNA_BACKUP_PASSPHRASE_FILE: join(root, 'passphrase'),
  });
  key = (await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin')).key;
  await box.luna('device', 'create', 'main', '--connection', '{kind: push}');
}, 120_000);
afterAll(async () => {
  await box?.remove();
  await rm(root, { recursive: true, force: true });
});

async function push(at_ms: number, value: number, meter = 'main'): Promise<number> {
  const body = JSON.stringify({ meter, at: new Date(at_ms).toISOString(), power_W: value });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return (await fetch(`${box.url}/api/v1/readings`, { method: 'POST', headers, body })).status;
}

async function stored(one: Box, from_ms: number, meter = 'main'): Promise<number[]> {
  const query = new URLSearchParams({
    ...{ meter, quantity: 'power_W', resolution: 'raw' },
    ...{ from: new Date(from_ms).toISOString(), to: new Date(from_ms + 3_600_000).toISOString() },
  });
  const answer = await fetch(`${one.url}/api/v1/data/query?${query}`, { headers: { authorization: `Bearer ${key}` } });
  const { points = [] } = (await answer.json()) as { points?: { value: number }[] };
  return points.map(({ value }) => value);
}

async function luna(home: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, LUNA_HOME: home, LUNA_LOG_LEVEL: 'warn' };
  return promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], { env });
}

/** Whole files of a folder, unpacked where they are packed, that hold one of the texts. */
async function holding(dir: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    const plain = entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    for (const text of texts) if (plain.includes(text)) found.push(`${entry.name}: ${text}`);
  }
  return found;
}

async function post(path: string, body: object): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return (await fetch(`${box.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}

/** Begins a second factor in a browser. @returns the seed that the page shows */
async function seedOf(login: string, password: string): Promise<string> {
  let cookie = '';
  const ask = async (path: string, fields?: Record<string, string>) => {
    const post = fields && { method: 'POST', body: new URLSearchParams(fields) };
    const answer = await fetch(`${box.url}${path}`, { redirect: 'manual', headers: { cookie }, ...post });
    cookie = [cookie, ...answer.headers.getSetCookie().map((line) => line.split(';')[0])].filter(Boolean).join('; ');
    return answer.text();
  };
  await ask('/sign-in', { login, password });
  const _csrf = /name="_csrf" value="([^"]+)"/.exec(await ask('/account'))?.[1] ?? '';
  await ask('/account/second-factor/begin', { _csrf, present: password });
  const seed = /data-copy="([A-Z2-7]{32})"/.exec(await ask('/account'))?.[1];
  expect(seed).toHaveLength(32);
  return seed!;
}

describe('a box that is lost', () => {
  it('has told its backups no password and no token, neither in the first copy nor in those that continue it', async () => {
    const planted = async (n: number) => {
      const [token, password, login] = [
        `token-${n}-of-a-device`,
        `password-${n}-of-a-mailbox`,
        `password-${n}-of-anna`,
      ];
      const connection = { kind: 'http', url: 'http://127.0.0.1:1/', poll_s: 3600, token };
      expect(await post('/api/v1/devices', { id: `http-${n}`, profile: 'homewizard-p1', connection })).toBe(201);
      const settings = { host: '127.0.0.1', port: 1, security: 'none', user: 'box', from: 'box@example.org' };
      const channel = { name: `mail ${n}`, kind: 'email', settings, secret: password };
      expect(await post('/api/v1/notifications/channels', channel)).toBe(201);
      await box.luna('user', 'add', `anna${n}`, '--role', 'user', '--password', login);
      return [token, password, login, await seedOf(`anna${n}`, login)];
    };
    const secrets = [...(await planted(1)), key];
    const { id } = await box.lunaJson<{ id: string }>('backup');
    secrets.push(...(await planted(2)));
    const rounds = async () => (await readdir(join(folder, `${id}.log`))).filter((name) => /^r\d/.test(name)).length;
    const before = await rounds();
    await vi.waitFor(async () => expect(await rounds()).toBeGreaterThan(before + 1), {
      timeout: 60_000,
      interval: 200,
    });
    expect(await holding(join(folder, id), secrets)).toEqual([]);
    expect(await holding(join(folder, `${id}.log`), secrets)).toEqual([]);
    // What is no secret is found, so that the search does find.
    expect((await holding(join(folder, id), ['http-1'])).length).toBeGreaterThan(0);
    expect((await holding(join(folder, `${id}.log`), ['http-2'])).length).toBeGreaterThan(0);
  }, 120_000);

  it('comes back from its backup folder alone, with all but the last moments', async () => {
    await box.luna('device', 'create', 'neighbour', '--connection', '{kind: push}');
    await push(T_ERASED, 4711, 'neighbour');
    await vi.waitFor(async () => expect(await stored(box, T_ERASED, 'neighbour')).toEqual([4711]), { timeout: 30_000 });
    expect(await box.lunaJson('backup')).toMatchObject({ keys: true });
    await push(T_ERASED + 1000, 4712, 'neighbour');
    const headers = { authorization: `Bearer ${key}` };
    const erased = await fetch(`${box.url}/api/v1/devices/neighbour?erase_readings=true`, {
      method: 'DELETE',
      headers,
    });
    expect(erased.status).toBe(204);
    const begin_ms = Math.floor(Date.now() / 1000) * 1000 - 3_600_000 + 60_000;
    const acknowledged: { value: number; at_ms: number }[] = [];
    for (const until = Date.now() + EVERY_MS + SLACK_MS + 1000; Date.now() < until; await sleep(100)) {
      const value = acknowledged.length + 1;
      if ((await push(begin_ms + value * 1000, value)) < 300) acknowledged.push({ value, at_ms: Date.now() });
    }
    expect(acknowledged.length).toBeGreaterThan(10);
    await box.kill();
    const killed_ms = Date.now();
    process.kill(Number((await readFile(join(box.home, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]), 'SIGKILL');
    await rm(box.home, { recursive: true, force: true });

    await luna(box.home, 'restore', folder, '--passphrase-file', join(root, 'passphrase'));
    box = await box.restart();
    const late = acknowledged.filter(({ at_ms }) => at_ms <= killed_ms - EVERY_MS - SLACK_MS);
    let there: number[] = [];
    for (let same = 0, i = 0; i < 300 && (there.length < late.length || same < 10); i++, await sleep(100)) {
      const now = await stored(box, begin_ms);
      same = now.length === there.length ? same + 1 : 0;
      there = now;
    }
    expect(late.length).toBeGreaterThan(0);
    expect(there).toEqual(acknowledged.slice(0, there.length).map(({ value }) => value));
    const lost = acknowledged.slice(there.length);
    const age_ms = lost.length === 0 ? 0 : killed_ms - lost[0]!.at_ms;
    expect(age_ms).toBeLessThan(EVERY_MS + SLACK_MS);
    // Erased after the backup: it does not come back, not even for a device of the same name.
    await box.luna('device', 'create', 'neighbour', '--connection', '{kind: push}');
    await push(T_ERASED + 2000, 4713, 'neighbour');
    await vi.waitFor(async () => expect(await stored(box, T_ERASED, 'neighbour')).toEqual([4713]), { timeout: 30_000 });
  }, 120_000);

  it('refuses a home that is in use, and a backup that is damaged', async () => {
    await expect(luna(box.home, 'restore', folder)).rejects.toThrow(/is not empty/);
    const id = (await readdir(folder))
      .filter((name) => /Z$/.test(name))
      .sort()
      .at(-1);
    await writeFile(join(folder, id!, 'base/PG_VERSION'), '17\n');
    await expect(luna(join(root, 'other'), 'restore', folder)).rejects.toThrow(/base\/PG_VERSION.*was changed/);
    expect(await readdir(join(root, 'other')).catch(() => [])).toEqual([]);
  }, 60_000);
});
