/** What the home of the box takes on disk, folder by folder, and how fast it grows; walked now and then, never on a page's way. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Base } from '../services.ts';

export type Volume = {
  /** Entries of LUNA_HOME, largest first. */
  folders: readonly { name: string; bytes: number }[];
  bytes: number;
  /** Bytes a day since the first walk; null before an hour has passed. */
  growth_per_day: number | null;
  free_bytes: number;
};

const EVERY_MS = 10 * 60_000;
const LEAST_SPAN_MS = 3_600_000;
const DAY_MS = 86_400_000;
const SHOWN = 6;

export function createBoxVolume({ config, clock, log }: Pick<Base, 'config' | 'clock' | 'log'>) {
  let latest: Volume | null = null;
  let first: { at_ms: number; bytes: number } | null = null;
  let looked = Number.NEGATIVE_INFINITY;
  const now = () => clock.monotonic?.() ?? clock.now();
  const look = async () => {
    try {
      const folders = await sizesOf(config.home);
      const bytes = folders.reduce((sum, folder) => sum + folder.bytes, 0);
      first ??= { at_ms: now(), bytes };
      const span_ms = now() - first.at_ms;
      const disk = await statfs(config.home);
      latest = {
        ...{ bytes, folders: folders.slice(0, SHOWN), free_bytes: disk.bavail * disk.bsize },
        growth_per_day: span_ms < LEAST_SPAN_MS ? null : ((bytes - first.bytes) * DAY_MS) / span_ms,
      };
    } catch (error) {
      log.warn({ err: error }, 'the size of the home could not be measured');
    }
  };
  return {
    /** Null until the first walk has ended. */
    now: () => latest,
    look,
    /** Called often; walks every ten minutes, in the background. */
    lookNowAndThen(): void {
      if (now() - looked < EVERY_MS) return;
      looked = now();
      void look();
    },
  };
}

async function sizesOf(home: string): Promise<{ name: string; bytes: number }[]> {
  const folders: { name: string; bytes: number }[] = [];
  for (const name of await readdir(home)) folders.push({ name, bytes: await sizeOf(join(home, name)) });
  return folders.sort((a, b) => b.bytes - a.bytes);
}

/** Files that go meanwhile count as nothing. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (!found) return 0;
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
  return bytes;
}
