import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Files, parseS3Url } from '../../../connectors/files/s3.ts';
import { ConfigError, NotFoundError, UnavailableError } from '../../../engine/errors.ts';
import { fileStoreContract } from '../../contracts/files.ts';
import { type FakeS3, startFakeS3 } from '../../setup/s3-fake.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('files in a bucket', () => {
  let server: FakeS3;
  beforeAll(async () => {
    server = await startFakeS3(2);
  });
  afterAll(() => server.close());
  fileStoreContract(async () => createS3Files(`${server.url}?prefix=contract/`));

  it('signs every request as the server demands', () => {
    expect(server.refused).toEqual([]);
  });

  it('makes the bucket with versioning, and keeps what was overwritten', async () => {
    const files = createS3Files(`${server.url}?prefix=versions/`);
    await files.write('default', 'a', bytes('one'));
    await files.write('default', 'a', bytes('two'));
    expect(server.versioning()).toBe(true);
    const [path] = await files.paths();
    expect(server.objects.get(`versions/${path}`)?.map(String)).toEqual(['one', 'two']);
  });

  it('lists what is there over several pages, each file as it can be carried elsewhere', async () => {
    const [from, to] = ['from', 'to'].map((name) => createS3Files(`${server.url}?prefix=${name}/`));
    for (const name of ['a', 'b', 'c', 'd', 'e']) await from!.write('default', name, bytes(name));
    const paths = await from!.paths();
    expect(paths).toHaveLength(5);
    for (const path of paths) await to!.writePath(path, await from!.readPath(path));
    expect(Buffer.from(await to!.read('default', 'd')).toString()).toBe('d');
  });

  it('says that the server is ill, not that a file is missing, while the bucket is gone or errors come', async () => {
    const files = createS3Files(`${server.url}?prefix=ill/`);
    await files.write('default', 'there', bytes('x'));
    server.fail(503);
    await expect(files.read('default', 'there')).rejects.toThrow(UnavailableError);
    await expect(files.ping?.()).rejects.toThrow(UnavailableError);
    server.fail(null);
    expect(await files.read('default', 'there')).toHaveLength(1);
    server.dropBucket();
    await expect(files.read('default', 'there')).rejects.toThrow(/bucket .* gone/);
  });

  it('takes a wrong secret for a refusal, and never tells it', async () => {
    const files = createS3Files(server.url.replace('luna-test:', 'luna-test:wrong'));
    const refusal = await files.write('default', 'a', bytes('x')).catch((error: Error) => error);
    expect(refusal).toBeInstanceOf(UnavailableError);
    expect(String(refusal)).toMatch(/refuses our key/);
    expect(String(refusal)).not.toContain('wrong');
  });

  it('is unavailable while nobody listens, and works once somebody does', async () => {
    const gone = await startFakeS3();
    const files = createS3Files(gone.url, 2000);
    await gone.close();
    await expect(files.write('default', 'a', bytes('x'))).rejects.toThrow(UnavailableError);
    await expect(files.read('default', 'a')).rejects.not.toThrow(NotFoundError);
  });

  it.each([
    's3://host/bucket',
    's3://k:s@host',
    's3://k:s@host/UP',
    'http://k:s@host/bucket',
    's3://k:s@host/b/c',
    's3://k:topsecret@host/bucket?prefix=x',
  ])('refuses %j without repeating its secret', (url) => {
    const refusal = (() => {
      try {
        return parseS3Url(url);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).not.toContain('topsecret');
  });
});

const real = process.env.LUNA_TEST_S3_URL;
describe.skipIf(!real)('files on a real S3 server', () => {
  fileStoreContract(async () => createS3Files(`${real}?prefix=contract-${process.pid}/`));
});
