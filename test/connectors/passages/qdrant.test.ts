import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQdrantPassages } from '../../../connectors/passages/qdrant/qdrant.ts';
import { ConfigError, InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { passage, passageIndexContract } from '../../contracts/passages.ts';
import { type FakeQdrant, startFakeQdrant } from '../../setup/qdrant-fake.ts';

/** A collection of its own for each test, so that one server serves them all. */
const collection = () => `luna_${randomUUID().replaceAll('-', '')}`;

describe('fake Qdrant', () => {
  let server: FakeQdrant;
  beforeAll(async () => {
    server = await startFakeQdrant();
  });
  afterAll(() => server?.close());
  passageIndexContract('fake', () => createQdrantPassages({ url: server.url, collection: collection() }));

  it('asks nothing without naming the tenant, and never for none', async () => {
    const index = createQdrantPassages({ url: server.url, collection: collection() });
    await index.add('a', [passage('x:0', 'A battery in the cellar.')]);
    expect(await index.search('b', 'battery', 5)).toEqual([]);
    await expect(index.search('', 'battery', 5)).rejects.toThrow(InvalidDataError);
    await expect(index.add('', [passage('x:0', 'text')])).rejects.toThrow(InvalidDataError);
    await expect(index.remove('', 'x')).rejects.toThrow(InvalidDataError);
    expect(server.refused).toEqual([]);
  });

  it('tells Qdrant which field is the tenant', async () => {
    const name = collection();
    const index = createQdrantPassages({ url: server.url, collection: name });
    await index.add('a', [passage('x:0', 'text')]);
    expect(server.indexesOf(name).get('tenant')).toEqual({ type: 'keyword', is_tenant: true });
  });

  it('says that it is away, and goes on when it is back', async () => {
    const gone = await startFakeQdrant();
    await gone.close();
    const index = createQdrantPassages({ url: gone.url });
    await expect(index.search('a', 'battery', 5)).rejects.toThrow(UnavailableError);
    await expect(index.add('a', [passage('x:0', 'text')])).rejects.toThrow(UnavailableError);
  });

  it.each(['http://127.0.0.1:6333', 'qdrant:', 'qdrant'])('takes %s for no address', (url) => {
    expect(() => createQdrantPassages({ url })).toThrow(ConfigError);
  });
});

describe.skipIf(!process.env.LUNA_TEST_QDRANT_URL)('real Qdrant (LUNA_TEST_QDRANT_URL)', () => {
  const url = (process.env.LUNA_TEST_QDRANT_URL ?? '').replace(/^http/, 'qdrant');
  passageIndexContract('real', () => createQdrantPassages({ url, collection: collection() }));
});
