/** What every FileStore does. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { FileStore } from '../../engine/ports.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (read: Uint8Array) => new TextDecoder().decode(read);

export function fileStoreContract(open: () => Promise<FileStore>): void {
  let files: FileStore;
  beforeAll(async () => {
    files = await open();
  });
  afterAll(() => files.close());

  it('gives back what was written, and the newer after writing again', async () => {
    await files.write('default', 'a.pdf', bytes('one'));
    await files.write('default', 'a.pdf', bytes('two'));
    expect(text(await files.read('default', 'a.pdf'))).toBe('two');
  });

  it('keeps an empty file and one of some MB', async () => {
    const large = new Uint8Array(3_000_000).map((_, i) => i % 251);
    await files.write('default', 'empty', new Uint8Array());
    await files.write('default', 'large', large);
    expect(await files.read('default', 'empty')).toHaveLength(0);
    expect(Buffer.compare(await files.read('default', 'large'), large)).toBe(0);
  });

  it('keeps tenants apart', async () => {
    await files.write('default', 'mine', bytes('secret'));
    await expect(files.read('other', 'mine')).rejects.toThrow(NotFoundError);
    await files.remove('other', 'mine');
    expect(text(await files.read('default', 'mine'))).toBe('secret');
  });

  it('forgets what was removed, and takes a second removal', async () => {
    await files.write('default', 'gone', bytes('x'));
    await files.remove('default', 'gone');
    await files.remove('default', 'gone');
    await expect(files.read('default', 'gone')).rejects.toThrow(NotFoundError);
  });

  it.each(['../other/mine', '/etc/passwd', 'a/b/c.pdf', 'Straßenplan 2026.pdf', '.', 'a\0b', 'A.pdf'])(
    'takes %j as a name like any other',
    async (name) => {
      await files.write('default', name, bytes(name));
      expect(text(await files.read('default', name))).toBe(name);
      await expect(files.read('other', name)).rejects.toThrow(NotFoundError);
      await files.remove('default', name);
    },
  );

  it.each(['', '..', '../default', 'a/b', '/'])('refuses %j as a tenant', async (tenant) => {
    await expect(files.write(tenant, 'x', bytes('x'))).rejects.toThrow(InvalidDataError);
  });

  it('shows the old or the new file to a reader, never a part', async () => {
    const versions = ['a', 'b'].map((letter) => bytes(letter.repeat(500_000)));
    await files.write('default', 'swap', versions[0]!);
    const writing = (async () => {
      for (let i = 0; i < 10; i++) await files.write('default', 'swap', versions[i % 2]!);
    })();
    for (let i = 0; i < 20; i++) {
      const read = await files.read('default', 'swap');
      expect(versions.some((version) => Buffer.compare(read, version) === 0)).toBe(true);
    }
    await writing;
  });
}
