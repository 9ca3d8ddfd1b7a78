/** Collections as files and back, against a server in memory that speaks the snapshot API. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createQdrantPassages } from '../../../connectors/passages/qdrant/qdrant.ts';
import { restoreSnapshots, saveSnapshots } from '../../../connectors/passages/qdrant/snapshots.ts';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { Passage } from '../../../engine/ports.ts';
import { type FakeQdrant, startFakeQdrant } from '../../setup/qdrant-fake.ts';

let dir: string;
let from: FakeQdrant;
let to: FakeQdrant;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luna-snapshots-'));
  [from, to] = [await startFakeQdrant(), await startFakeQdrant()];
});
afterEach(async () => {
  await from.close();
  await to.close();
  rmSync(dir, { recursive: true, force: true });
});

const passage: Passage = {
  ...{ id: 'p1', document: 'rules', document_title: 'Rules', version: 'v1', page: 1, section: '§ 1', language: 'en' },
  ...{ text: 'The sluice heating draws 4.2 kilowatts.', start: 0, end: 39 },
};
const found = async (server: FakeQdrant) =>
  (await createQdrantPassages({ url: server.url }).search('mill', 'sluice heating', 5)).map(
    ({ passage }) => passage.id,
  );

it('an empty server answers after a restore what the other one answered, and nothing stays on the disk of either', async () => {
  const index = createQdrantPassages({ url: from.url });
  await index.add('mill', [passage]);
  await index.add('mill', [{ ...passage, id: 'p2', document: 'more' }], { vectors: [Float32Array.of(1, 0)] });
  const saved = await saveSnapshots({ url: from.url }, dir);
  expect(saved.collections.sort()).toEqual(['luna_passages', 'luna_passages_v2']);
  expect(from.snapshots.names()).toEqual([]);
  expect(await found(to)).toEqual([]);
  await restoreSnapshots({ url: to.url }, dir);
  expect((await found(to)).sort()).toEqual(['p1', 'p2']);
  expect(await createQdrantPassages({ url: to.url }).search('others', 'sluice heating', 5)).toEqual([]);
});

it('an archive that arrives otherwise than it was made is no backup, and one that was changed since is refused', async () => {
  await createQdrantPassages({ url: from.url }).add('mill', [passage]);
  from.snapshots.garble();
  await expect(saveSnapshots({ url: from.url }, dir)).rejects.toThrow(InvalidDataError);
  expect(from.snapshots.names()).toEqual([]);
  await from.close();
  await expect(saveSnapshots({ url: from.url }, dir)).rejects.toThrow(UnavailableError);
  from = await startFakeQdrant();
});

it('a folder without snapshots changes nothing', async () => {
  writeFileSync(join(dir, 'notes.txt'), '');
  await createQdrantPassages({ url: to.url }).add('mill', [passage]);
  expect(await restoreSnapshots({ url: to.url }, dir)).toEqual({ collections: [] });
  expect(await restoreSnapshots({ url: to.url }, join(dir, 'none'))).toEqual({ collections: [] });
  expect(await found(to)).toEqual(['p1']);
  expect(readdirSync(dir)).toEqual(['notes.txt']);
});
