/** The commands of docs/DEMO.md, as they stand there, one after another against one box. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSite } from '../bench/load/box.ts';
import { type Box, startBox } from '../setup/box.ts';
import { copyTemplate } from '../setup/database.ts';
import { onPath, ROOT } from '../setup/environment.ts';
import { until } from '../setup/until.ts';

const text = readFileSync(join(ROOT, 'docs/DEMO.md'), 'utf8');
const steps = [...text.matchAll(/^## (\d)\. (.+)$[\s\S]*?```sh\n([\s\S]*?)```/gm)].map(
  ([, number = '', name = '', commands = '']) => ({ number, name, commands }),
);
const WEEKS = 4;
const SLOT_MS = 900_000;
/** Models are trained on whatever machine this is; a step may take a little longer than its commands. */
const COMMANDS_MS = 290_000;
const STEP_MS = COMMANDS_MS + 60_000;

/** What each step must have given besides its exit status 0. */
const SHOWN: Record<string, RegExp> = {
  Ingest: /"(accepted|readings|stored)":\s*\d{3,}/,
  Train: /\{/,
  Serve: /"(slots|points|forecast|series)"/,
  Ask: /"status":"?(ABSTAIN|abstain|answered|SUPPORTED)/i,
  Evaluate: /\{/,
  Canary: /\{/,
  Rollback: /is whole/,
};

describe.skipIf(!onPath(['curl'], process.env.PATH))('the seven steps', () => {
  let box: Box;
  let folder: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'luna-demo-'));
    const home = join(folder, 'home');
    mkdirSync(home);
    await copyTemplate(home);
    const backups = join(folder, 'backups');
    box = await startBox({ LUNA_BACKUP_DIR: backups }, home);
    const { key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin');
    await makeSite(box.url, key);
    await box.luna('device', 'create', 'grid');
    writeReadings(join(folder, 'readings.csv'));
    environment = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      LUNA_HOME: home,
      URL: box.url,
      KEY: key,
      BACKUPS: backups,
      LUNA_BACKUP_DIR: backups,
      LUNA_WEATHER: 'off',
    };
  }, 300_000);
  afterAll(async () => {
    await box?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are seven', () => {
    expect(steps.map(({ name }) => name)).toEqual(Object.keys(SHOWN));
  });

  it.each(steps)(
    'step $number: $name',
    async ({ name, commands }) => {
      const script = commands.replaceAll(
        './luna',
        `"${process.execPath}" --disable-warning=ExperimentalWarning "${ROOT}/gateway/main.ts"`,
      );
      let { status, said } = await shell(script);
      // Slots follow their readings by seconds: who is quicker trains again.
      if (name === 'Train')
        await until(async () => {
          if (await isForecast()) return true;
          ({ status, said } = await shell(script));
          return false;
        }, 'a forecast');
      expect(said, said).toMatch(SHOWN[name]!);
      expect(status, said).toBe(0);
    },
    STEP_MS,
  );

  async function isForecast(): Promise<boolean> {
    const headers = { authorization: `Bearer ${environment.KEY}` };
    return (await fetch(`${box.url}/api/v1/forecast?series=load`, { headers })).ok;
  }
  function shell(script: string): Promise<{ status: number; said: string }> {
    return new Promise((done) =>
      execFile('sh', ['-euc', script], { cwd: folder, env: environment, timeout: COMMANDS_MS }, (error, out, err) =>
        done({ status: error ? 1 : 0, said: out + err }),
      ),
    );
  }
});

/** A building: more by day than by night, more on working days. */
function writeReadings(file: string): void {
  const last = Math.floor(Date.now() / SLOT_MS) * SLOT_MS;
  const first = last - WEEKS * 7 * 86_400_000;
  const rows = ['at,meter,power_W'];
  for (let at = first; at <= last; at += SLOT_MS) {
    const hour = (at / 3_600_000) % 24;
    const working = new Date(at).getUTCDay() % 6 !== 0;
    rows.push(
      `${new Date(at).toISOString()},grid,${Math.round(2000 + (working ? 6000 : 1500) * Math.exp(-(((hour - 12) / 4) ** 2)))}`,
    );
  }
  writeFileSync(file, `${rows.join('\n')}\n`);
}
