import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { testProfile } from '../../gateway/profile-test.ts';

const ROOT = join(import.meta.dirname, '../..');
const guide = readFileSync(join(ROOT, 'docs/guides/add-a-device-profile.md'), 'utf8');

describe('the guide to profiles', () => {
  const root = mkdtempSync(join(tmpdir(), 'luna-guide-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'mill-meter3');
  cpSync(join(ROOT, 'firmware-profiles/_blueprint'), folder, { recursive: true });
  const change = (file: string, from: string, to: string) => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
  };
  const [first, second] = [...guide.matchAll(/```\n(mill-meter3: [\s\S]*?)\n```/g)].map(([, block]) => block);

  it('shows what luna profile test prints', async () => {
    change('profile.yaml', 'scale: 0.1', 'scal: 0.1');
    change('testdata/example/expected.json', '"value": 12345', '"value": 123450');
    change(
      'testdata/example/input.json',
      '"topic": "meters-of/hall-2/state", "payload": { "power"',
      '"topic": "meters-of/hall-3/state", "payload": { "power"',
    );
    expect((await testProfile(folder)).text).toBe(first);
    change('profile.yaml', 'scal: 0.1', 'scale: 0.1');
    expect((await testProfile(folder)).text).toBe(second);
  });
  it('names only profiles and files that exist', () => {
    for (const [, name] of guide.matchAll(/`((?:[a-z0-9]+-)+[a-z0-9]+)`/g))
      if (/^(?:shelly|tasmota|dsmr|sml|eastron|carlo|goodwe|sunspec|fronius|homewizard)-/.test(name!))
        expect(() => readFileSync(join(ROOT, 'firmware-profiles', name!, 'profile.yaml')), name).not.toThrow();
  });
});
