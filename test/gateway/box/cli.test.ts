/** The command line, before set-up in a home where no box runs and through the running box: the same answers. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate } from '../../setup/database.ts';
import { browser } from './asking.ts';

const MAIN = join(import.meta.dirname, '../../../gateway/main.ts');

let home: string;
let box: Box | null = null;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'luna-cli-'));
  await copyTemplate(home);
}, 60_000);
afterAll(async () => {
  await box?.stop();
  await rm(home, { recursive: true, force: true });
});

type Outcome = { status: number; out: string; err: string };
function luna(...args: string[]): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    LUNA_HOME: home,
    LUNA_WEATHER: 'off',
    LUNA_LOG_LEVEL: 'warn',
  };
  return new Promise((done) =>
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], { env }, (error, out, err) =>
      done({ status: error ? Number(error.code) : 0, out, err }),
    ),
  );
}
/** With --json: exactly one object on standard output. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { status, out, err } = await luna(...args, '--json');
  expect(err, args.join(' ')).toBe('');
  expect(status).toBe(0);
  return JSON.parse(out);
}

/** Each waits for a process that starts: two at once fill two cores. */
async function inPairs<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const done: Result[] = [];
  for (let i = 0; i < items.length; i += 2)
    done.push(...(await Promise.all(items.slice(i, i + 2).map((item) => work(item)))));
  return done;
}
async function oneByOne(names: readonly string[]): Promise<Record<string, unknown>[]> {
  const done = [];
  for (const name of names) done.push(await json(name));
  return done;
}

const CSV = 'at,meter,power_W\n2026-04-01T00:00:00Z,N,100\n2026-04-01T00:15:00Z,N,120\n';

/** Everything twice: `where` names what each run makes. */
function commands(where: 'before' | 'beside') {
  it('makes keys', async () => {
    const made = await json('key', 'create', '--role', 'analyst', '--name', where);
    expect(made).toEqual({ id: expect.any(String), key: expect.stringMatching(/^luna_[\w-]{43}$/), role: 'analyst' });
  });

  it('makes devices', async () => {
    const device = await json('device', 'create', `${where}-heat`);
    expect(device).toEqual({
      ...{ id: `${where}-heat`, username: `${where}-heat`, topic: `meters/${where}-heat/readings` },
      ...{ password: expect.stringMatching(/^[\w-]{43}$/), meters: [`${where}-heat`] },
    });
    if (where === 'before') return;
    const meter = await json('device', 'create', `${where}-pv`, '--profile', 'shelly-pro-3em');
    expect(meter).toMatchObject({ id: `${where}-pv`, username: expect.any(String), topic: expect.any(String) });
  });

  it('adds people and gives new passwords', async () => {
    const added = await json('user', 'add', `${where}.anna`, '--role', 'admin');
    expect(added).toEqual({
      ...{ id: expect.any(String), login: `${where}.anna`, role: 'admin' },
      password: expect.stringMatching(/^[\w-]{20}$/),
    });
    const given = await json('user', 'reset-password', `${where}.anna`);
    expect(given).toEqual({ login: `${where}.anna`, password: expect.any(String) });
    expect(given.password).not.toBe(added.password);
    if (where === 'before') return;
    expect(await json('user', 'add', `${where}.ben`, '--password', 'long enough for ben')).not.toHaveProperty(
      'password',
    );
  });

  it('imports a file once', async () => {
    const file = join(home, `${where}.csv`);
    await writeFile(file, CSV.replaceAll('N,', `${where}-heat,`));
    const first = await json('import', file);
    expect(first).toMatchObject({ lines: 2, accepted: 2, flagged: 0, rejected: 0, unchanged: false, faults: [] });
    expect(await json('import', file)).toMatchObject({ unchanged: true });
  });

  it('answers doctor, train, eval and index', async () => {
    const names = ['doctor', 'train', 'eval', 'index'];
    // Only one process may have the home.
    const [doctor, train, evaluated, index] = where === 'before' ? await oneByOne(names) : await inPairs(names, json);
    expect(doctor).toMatchObject({ ready: true, parts: expect.any(Array) });
    expect(train).toEqual({ refreshed: 'all' });
    const { series } = evaluated as { series: { series: string }[] };
    expect(series.map((one) => one.series)).toEqual(['load', 'generation', 'price']);
    expect(index).toEqual({ documents: 0, passages: 0 });
    if (where === 'before') return;
    expect((await luna('doctor')).out).toMatch(/^(ok|degraded|down) +\w+/m);
  });

  it('ends with status 1 and one sentence when it cannot', async () => {
    const wrong: [string[], RegExp][] = [
      [['import', join(home, 'nothing.csv')], /nothing\.csv/],
      [['user', 'reset-password', 'nobody'], /Nobody has the login nobody/],
      [['key', 'create', '--role', 'king'], /king/],
      [['device', 'create', 'x', '--profile', 'no-such'], /no-such/],
      [['device', 'create', `${where}-heat`], new RegExp(`${where}-heat`)],
      [['key', 'create', '--tenant', 'nowhere'], /nowhere/],
    ];
    // Each takes a start of the box where none runs: there one is enough.
    const all = where === 'before' ? [] : wrong;
    const told = await inPairs(all, ([args]) => luna(...args));
    for (const [i, [args, words]] of all.entries()) {
      expect(told[i], args.join(' ')).toMatchObject({ status: 1, out: '' });
      expect(told[i]!.err).toMatch(/^luna: [^\n]+\n$/);
      expect(told[i]!.err).toMatch(words);
    }
    const [args, words] = wrong.at(-1)!;
    const { status, out, err } = await luna(...args, '--json');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(JSON.parse(err)).toEqual({ error: expect.stringMatching(words), faults: expect.any(Array) });
  });
}

describe('the command line where no box runs', { timeout: 180_000 }, () => {
  commands('before');

  it('leaves nothing running', async () => {
    expect(await readFile(join(home, 'postgres/postmaster.pid'), 'utf8').catch(() => null)).toBeNull();
  });
});

describe('the command line beside a running box', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    box = await startBox({}, home);
  }, 60_000);

  commands('beside');

  it('gives passwords that open the box', async () => {
    for (const where of ['before', 'beside']) {
      const { password } = await json('user', 'reset-password', `${where}.anna`);
      expect((await browser(box!, `${where}.anna`, String(password))).csrf).toBeTruthy();
    }
  });

  it('gives keys and device passwords that work, and finds what was imported', async () => {
    const { key } = await json('key', 'create', '--role', 'user');
    const headers = { authorization: `Bearer ${key}` };
    for (const where of ['before', 'beside']) {
      const path = `/api/v1/data/query?meter=${where}-heat&quantity=power_W&resolution=raw&from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z`;
      const answer = (await (await fetch(`${box!.url}${path}`, { headers })).json()) as { points: { value: number }[] };
      expect(answer.points.map(({ value }) => value)).toEqual([100, 120]);
    }
    const { username, password } = await json('device', 'create', 'late');
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${box!.mqtt_port}`, {
      ...{ username: String(username), password: String(password), reconnectPeriod: 0 },
    });
    await client.endAsync();
  });
});

describe('the configuration', () => {
  it('tells all faults at once', async () => {
    const env = { PATH: process.env.PATH, LUNA_HOME: home, LUNA_PORT: 'x', LUNA_NONSENSE: '1', LUNA_TLS: 'maybe' };
    const told = await new Promise<Outcome>((done) =>
      execFile(process.execPath, [MAIN, 'doctor'], { env }, (error, out, err) =>
        done({ status: Number(error?.code ?? 0), out, err }),
      ),
    );
    expect(told.status).toBe(1);
    for (const word of ['port', 'nonsense', 'tls', 'docs/reference/configuration.md']) expect(told.err).toContain(word);
  });
});
