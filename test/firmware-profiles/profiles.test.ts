import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caseFolders, loadProfiles } from '../../connectors/meters/profile/catalogue.ts';
import { checkProfile } from '../../connectors/meters/profile/check/check.ts';
import { measurementsOf } from '../../connectors/meters/profile/schema.ts';

const FOLDER = join(import.meta.dirname, '../../firmware-profiles');
const profiles = loadProfiles(FOLDER, () => true);
const BLUEPRINT = '_blueprint';
/** A link, a repository, or the name of a document. */
const DOCUMENT = /https?:\/\/\S+|`[\w.-]+\/[\w.-]+`|"[^"]{6,}"/;

function caseOf(path: string): { kind: string; source: string } {
  return JSON.parse(readFileSync(join(path, 'input.json'), 'utf8'));
}

describe('the catalogue', () => {
  const shipped = loadProfiles(FOLDER);
  const devices = shipped.filter((profile) => measurementsOf(profile).length > 0);
  const count = (transport: string) => devices.filter((profile) => profile.transport === transport).length;

  it('reads every folder', () => {
    const folders = readdirSync(FOLDER).filter((name) => !name.startsWith('.'));
    expect(profiles.map(({ name }) => name)).toEqual(folders.sort());
    expect(shipped.some(({ name }) => name.startsWith('_'))).toBe(false);
  });
  it('has at least 60 devices with golden cases, 20 over MQTT, 30 over Modbus, 6 over HTTP, and marks which are verified', () => {
    expect(devices.length).toBeGreaterThanOrEqual(60);
    expect(count('mqtt')).toBeGreaterThanOrEqual(20);
    expect(count('modbus')).toBeGreaterThanOrEqual(30);
    expect(count('http')).toBeGreaterThanOrEqual(6);
    expect(devices.filter(({ name }) => caseFolders(join(FOLDER, name)).length === 0)).toEqual([]);
    const verified = devices.filter((profile) => profile.verified).length;
    expect(verified).toBeGreaterThanOrEqual(28);
    expect(verified).toBeLessThan(devices.length);
  });
  it('calls verified only what recorded or documented cases show', () => {
    const verified = new Set(shipped.filter((profile) => profile.verified).map(({ name }) => name));
    expect(verified).toContain('shelly-pro-3em');
    expect(verified).toContain('dsmr-p1-telegram');
    expect(verified).toContain('goodwe-et');
    expect(verified).not.toContain('abb-b23');
    for (const { name } of shipped.filter((profile) => profile.verified)) {
      const inputs = caseFolders(join(FOLDER, name)).map((path) => readFileSync(join(path, 'input.json'), 'utf8'));
      expect(
        inputs.some((text) => /"kind": "(?:recorded|documented)"/.test(text)),
        name,
      ).toBe(true);
    }
  });
});

describe.each(profiles.map((profile) => [profile.name, profile] as const))('%s', (name, profile) => {
  const folder = join(FOLDER, name);

  it('has nothing to mend, and its golden cases give what they must', async () => {
    const report = await checkProfile(folder);
    expect(report.faults).toEqual([]);
    expect(report.cases.map((one) => one.name)).toEqual(caseFolders(folder).map((path) => basename(path)));
    expect(report.verified).toBe(profile.verified);
  });
  it('tells where it is documented and where each of its cases comes from', () => {
    const text = readFileSync(join(folder, 'README.md'), 'utf8');
    if (name !== BLUEPRINT) expect(text).toMatch(DOCUMENT);
    const unnamed = caseFolders(folder).filter((path) => !text.includes(`\`${basename(path)}\``));
    expect(unnamed.map((path) => basename(path))).toEqual([]);
    for (const path of caseFolders(folder)) expect(caseOf(path).source.length, path).toBeGreaterThan(5);
  });
});
