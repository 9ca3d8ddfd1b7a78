/** Captures of devices under LUNA_BENCH_DATA/devices, unpacked for a test file. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll } from 'vitest';
import { loadProfiles } from '../../../../connectors/meters/profile/catalogue.ts';
import { type GoldenInput, runCase } from '../../../../connectors/meters/profile/golden.ts';

const DEVICES = join(process.env.LUNA_BENCH_DATA ?? '/nowhere', 'devices');
const PROFILES = join(import.meta.dirname, '../../../../firmware-profiles');

export function captureFile(path: string): string {
  return join(DEVICES, path);
}

/** Everything that is there, by its path below the folder of devices. */
export function allCaptures(): string[] {
  if (!existsSync(DEVICES)) return [];
  const names = readdirSync(DEVICES, { recursive: true }) as string[];
  return names.filter((name) => statSync(join(DEVICES, name)).isFile()).sort();
}

export function present(path: string): boolean {
  return existsSync(captureFile(path));
}

/** Unpacks an archive, removes it after the tests of the file. Empty where there is none: its tests are skipped. */
export function unpack(path: string): { files: string[]; text(file: string): string; json<T>(file: string): T } {
  if (!present(path)) return { files: [], text: () => '', json: () => ({}) as never };
  const folder = mkdtempSync(join(tmpdir(), 'luna-captures-'));
  spawnSync('tar', ['xzf', captureFile(path), '-C', folder]);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const files = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => relative(folder, join(folder, name)))
    .sort();
  const text = (file: string) => readFileSync(join(folder, file), 'latin1');
  return { files, text, json: <T>(file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T };
}

const profiles = new Map(loadProfiles(PROFILES).map((profile) => [profile.name, profile]));

/** What a profile of the catalogue reads from `input`: `channel quantity` → value. */
export async function readWith(
  name: string,
  input: Omit<GoldenInput, 'kind' | 'source' | 'received'>,
): Promise<Record<string, number>> {
  const profile = profiles.get(name);
  if (!profile) throw new Error(`no profile ${name}`);
  const received = '2026-06-01T12:00:00Z';
  const { readings } = await runCase(profile, { kind: 'recorded', source: 'a capture', received, ...input });
  return Object.fromEntries(readings.map(({ channel, quantity, value }) => [label(channel, quantity), value]));
}

function label(channel: string, quantity: string): string {
  return channel === 'main' ? quantity : `${channel} ${quantity}`;
}
