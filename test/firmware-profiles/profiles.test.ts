import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caseFolders, loadProfiles, overviewOf } from '../../connectors/meters/profile/catalogue.ts';
import { measurementsOf } from '../../connectors/meters/profile/schema.ts';
import { readCase, runCase, withinFloat } from './golden.ts';

const FOLDER = join(import.meta.dirname, '../../firmware-profiles');
const profiles = loadProfiles(FOLDER, () => true);

describe('the catalogue', () => {
  const shipped = loadProfiles(FOLDER);
  const devices = shipped.filter((profile) => measurementsOf(profile).length > 0);
  const count = (transport: string) => devices.filter((profile) => profile.transport === transport).length;

  it('reads every folder', () => {
    const folders = readdirSync(FOLDER).filter((name) => !name.startsWith('.'));
    expect(profiles.map(({ name }) => name)).toEqual(folders.sort());
    expect(shipped.some(({ name }) => name.startsWith('_'))).toBe(false);
  });
  it('has at least 16 devices: 6 over MQTT, 8 over Modbus, 2 over HTTP', () => {
    expect(devices.length).toBeGreaterThanOrEqual(16);
    expect(count('mqtt')).toBeGreaterThanOrEqual(6);
    expect(count('modbus')).toBeGreaterThanOrEqual(8);
    expect(count('http')).toBeGreaterThanOrEqual(2);
  });
  it('says which are verified by more than made-up cases', () => {
    const verified = new Set(shipped.filter((profile) => profile.verified).map(({ name }) => name));
    expect(verified).toContain('shelly-pro-3em');
    expect(verified).toContain('dsmr-p1-telegram');
    expect(verified).not.toContain('abb-b23');
  });
});

describe.each(profiles.map((profile) => [profile.name, profile] as const))('%s', (name, profile) => {
  const folder = join(FOLDER, name);
  const overview = overviewOf(profile);

  it('explains itself and names its source', () => {
    const readme = join(folder, 'README.md');
    expect(existsSync(readme)).toBe(true);
    expect(readFileSync(readme, 'utf8').length).toBeGreaterThan(200);
    expect(overview.notes ?? '').not.toBe('');
  });
  it('has values for each of its channels, and the defaults its form needs', () => {
    for (const channel of overview.channels) expect(channel.quantities.length, channel.name).toBeGreaterThan(0);
    const needed = {
      modbus: ['port', 'unit', 'poll_s'],
      http: ['url', 'poll_s'],
      mqtt: overview.channels.length ? ['topic'] : [],
    };
    expect(Object.keys(overview.defaults)).toEqual(expect.arrayContaining(needed[profile.transport]));
  });
  it('has a golden case', () => {
    if (overview.channels.length > 0) expect(caseFolders(folder).length).toBeGreaterThan(0);
  });

  for (const path of caseFolders(folder))
    it(`case ${basename(path)}`, async () => {
      const { input, expected } = readCase(path);
      expect(['recorded', 'documented', 'synthetic']).toContain(input.kind);
      expect(input.source.length).toBeGreaterThan(10);
      expect(withinFloat(await runCase(profile, input), expected)).toEqual(expected);
    });
});
