/** A byte of the journal went bad: the whole box starts, keeps what is intact, and tells which file it was. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { makeDevices, makeKey, makeSite, readStored } from '../../bench/load/box.ts';
import { drained } from '../../bench/load/compare.ts';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

const BASE_MS = Date.UTC(2026, 5, 1);
const RECORDS = 40;
/** The promise is 5 s on two idle cores; machines that build share theirs. */
const START_MS = 20_000;

let box: Box;
let key: string;
beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'luna-damage-'));
  await copyTemplate(home);
  box = await startBox({}, home);
  key = await makeKey(home);
  await makeSite(box.url, key);
  await makeDevices(home, 1, 'hall');
}, 120_000);
afterAll(() => box?.remove());

type Alert = { kind: string; object: string; severity: string; opened: string };

async function openAlerts(): Promise<Alert[]> {
  const answer = await fetch(`${box.url}/api/v1/alerts?open=true`, { headers: { authorization: `Bearer ${key}` } });
  return ((await answer.json()) as { alerts: Alert[] }).alerts.filter(({ kind }) => kind === 'journal_quarantine');
}

async function untilAlerts(count: number): Promise<Alert[]> {
  let found: Alert[] = [];
  await until(async () => {
    found = await openAlerts();
    return found.length === count;
  }, 'the alert');
  return found;
}

it('starts on a damaged journal, loses only the record that was hit, and raises an alert that names the file', {
  timeout: 180_000,
}, async () => {
  await box.stop();
  const dir = join(box.home, 'journal');
  const journal = await openJournal({ dir, max_bytes: 2 ** 28, segment_bytes: 2 ** 22 });
  for (let n = 0; n < RECORDS; n++) {
    const readings = [{ meter: 'hall-0', quantity: 'power_W', at_ms: BASE_MS + n * 1000, value: n, quality: 0 }];
    await journal.append([{ tenant: 'default', source: 'mqtt', device: 'hall-0', received_ms: BASE_MS, readings }]);
  }
  await journal.close();
  const name = (await readdir(dir))
    .filter((file) => file.endsWith('.journal'))
    .sort()
    .at(-1)!;
  const bytes = await readFile(join(dir, name));
  bytes[bytes.length >> 1]! ^= 0x10;
  await writeFile(join(dir, name), bytes);

  box = await box.restart();
  expect(box.start_ms).toBeLessThan(START_MS);
  expect(await untilAlerts(1)).toMatchObject([{ object: `${name}.quarantined`, severity: 'fault' }]);
  await drained(box.url, key);
  const stored = await readStored(box.url, key, 'hall-0', BASE_MS, BASE_MS + RECORDS * 1000);
  expect(stored.length).toBe(RECORDS - 1);
  expect(stored.every(({ at_ms, value }) => at_ms === BASE_MS + value * 1000)).toBe(true);
});
