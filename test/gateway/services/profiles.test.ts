import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, NotFoundError } from '../../../engine/errors.ts';
import { openProfileCatalogue } from '../../../gateway/services/profiles.ts';

const SHIPPED = join(import.meta.dirname, '../../../firmware-profiles');

describe('catalogue of profiles', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'luna-profiles-'));
    for (const name of ['eastron-sdm630', 'abb-b23', '_blueprint'])
      await cp(join(SHIPPED, name), join(folder, name), { recursive: true });
    await cp(join(SHIPPED, 'abb-b23'), join(folder, 'broken'), { recursive: true });
    await writeFile(join(folder, 'broken/profile.yaml'), 'vendor: A\nwhatever: 1\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('goes on without a faulty profile, and tells of it once', () => {
    const faults: string[] = [];
    const catalogue = openProfileCatalogue(folder, { onFault: ({ message }) => faults.push(message) });
    expect(faults).toEqual([]);
    expect(catalogue.list().map(({ name }) => name)).toEqual(['abb-b23', 'eastron-sdm630']);
    expect(catalogue.get('broken')).toBeNull();
    expect(() => catalogue.full('broken')).toThrow(ConfigError);
    expect(faults).toEqual([expect.stringMatching(/broken.*whatever/)]);
  });

  it('knows what it was not asked for yet', () => {
    const catalogue = openProfileCatalogue(folder);
    expect(catalogue.full('eastron-sdm630')).toMatchObject({ name: 'eastron-sdm630', transport: 'modbus' });
    expect(catalogue.get('abb-b23')).toMatchObject({ vendor: 'ABB' });
    expect(catalogue.get('nobody')).toBeNull();
    expect(() => catalogue.full('../abb-b23')).toThrow(NotFoundError);
    expect(() => catalogue.full('_blueprint')).toThrow(NotFoundError);
  });

  it('parses all in the background', async () => {
    const faults: string[] = [];
    const catalogue = openProfileCatalogue(folder, { onFault: ({ message }) => faults.push(message) });
    catalogue.start();
    await expect.poll(() => faults.length).toBe(1);
    catalogue.stop();
  });
});
