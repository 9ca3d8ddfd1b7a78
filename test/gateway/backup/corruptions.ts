/** What can happen to a backup on a disk, in a cupboard, or at somebody's hands; each is undone again. */
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { logOf, MANIFEST, STATE } from '../../../gateway/backup/folder.ts';
import { type Manifest, sealText } from '../../../gateway/backup/manifest.ts';

export type Corruption = {
  kind: string;
  /** A word that the refusal must name. */
  named: RegExp;
  undo(): Promise<void>;
};
type Random = () => number;
type Place = {
  /** The backup, and another one (of the same box, or of another) to take things from. */
  dir: string;
  other: string;
  random: Random;
};
type Kind = (place: Place) => Promise<Omit<Corruption, 'kind'>>;

/** One seeded corruption, of the given kind or of any. */
export async function corrupt(place: Place, given?: string): Promise<Corruption> {
  const names = Object.keys(KINDS);
  const kind = given ?? names[Math.floor(place.random() * names.length)]!;
  return { kind, ...(await KINDS[kind]!(place)) };
}

const escaped = (text: string) => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
const WHOLE = /manifest\.json/;

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}
function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)]!;
}

/** A file of the backup or of its log, never empty. */
async function someFile({ dir, random }: Place, most = Number.POSITIVE_INFINITY) {
  const folder = random() < 0.25 ? logOf(dir) : dir;
  for (;;) {
    const path = pick(await filesBelow(folder), random);
    const bytes = await readFile(join(folder, path));
    if (bytes.length > 0 && bytes.length <= most)
      return { full: join(folder, path), path, bytes, named: namedOf(path) };
  }
}
const namedOf = (path: string) => (path === MANIFEST ? WHOLE : path === STATE ? /state\.json/ : escaped(path));

/** Changes one file's bytes. */
function changing(change: (bytes: Buffer, random: Random) => Buffer, most?: number): Kind {
  return async (place) => {
    const { full, bytes, named } = await someFile(place, most);
    await writeFile(full, change(Buffer.from(bytes), place.random));
    return { named, undo: () => writeFile(full, bytes) };
  };
}

/** Changes the manifest and seals it again, as somebody without the passphrase can. */
function forging(change: (manifest: Manifest, random: Random) => void, named: RegExp): Kind {
  return async ({ dir, random }) => {
    const text = await readFile(join(dir, MANIFEST), 'utf8');
    const manifest = JSON.parse(text.split('\n')[0]!) as Manifest;
    change(manifest, random);
    await writeFile(join(dir, MANIFEST), sealText(manifest, null));
    return { named, undo: () => writeFile(join(dir, MANIFEST), text) };
  };
}

function replacing(what: (place: Place) => { from: string; to: string }, named: RegExp): Kind {
  return async (place) => {
    const { from, to } = what(place);
    await rename(to, `${to}.kept`);
    await cp(from, to, { recursive: true });
    return {
      named,
      async undo() {
        await rm(to, { recursive: true, force: true });
        await rename(`${to}.kept`, to);
      },
    };
  };
}

const KINDS: Record<string, Kind> = {
  'bit flip': changing((bytes, random) => {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    return bytes;
  }),
  'bit flip in a small file': changing((bytes, random) => {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    return bytes;
  }, 4096),
  truncated: changing((bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length))),
  emptied: changing(() => Buffer.alloc(0)),
  extended: changing((bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + Math.floor(random() * 8))])),
  'zeroed in the middle': changing((bytes) => {
    // A page that is zeros already changes nothing.
    const from = bytes.findIndex((byte, at) => byte !== 0 && at >= bytes.length / 2);
    return from < 0
      ? Buffer.concat([bytes, Buffer.alloc(1)])
      : bytes.fill(0, from, Math.min(bytes.length, from + 4096));
  }),
  missing: async (place) => {
    const { full, bytes, named } = await someFile(place);
    await rm(full);
    return { named, undo: () => writeFile(full, bytes) };
  },
  swapped: async (place) => {
    const [a, b] = [await someFile(place), await someFile(place)];
    if (a.bytes.equals(b.bytes)) return KINDS.missing!(place);
    await writeFile(a.full, b.bytes);
    await writeFile(b.full, a.bytes);
    return {
      named: new RegExp(`${a.named.source}|${b.named.source}`),
      async undo() {
        await writeFile(a.full, a.bytes);
        await writeFile(b.full, b.bytes);
      },
    };
  },
  'foreign file': async ({ dir, random }) => {
    const folder = pick([dir, join(dir, 'base'), join(dir, 'files'), logOf(dir)], random);
    const full = join(folder, pick(['notes.txt', 'luna.yaml', '.hidden', 'evil.so'], random));
    await mkdir(folder, { recursive: true });
    await writeFile(full, 'not of this backup');
    return { named: /does not belong/, undo: () => rm(full) };
  },
  link: async (place) => {
    const { full, bytes, named } = await someFile(place);
    await writeFile(join(dirname(place.dir), 'elsewhere'), bytes);
    await rm(full);
    await symlink(join(dirname(place.dir), 'elsewhere'), full);
    const link = named === WHOLE || named.source === 'state\\.json' ? /link/ : named;
    return {
      named: link,
      async undo() {
        await rm(full);
        await writeFile(full, bytes);
      },
    };
  },
  'folder for a file': async (place) => {
    const { full, bytes, named } = await someFile(place);
    await rm(full);
    await mkdir(full);
    return {
      named,
      async undo() {
        await rm(full, { recursive: true });
        await writeFile(full, bytes);
      },
    };
  },
  'manifest of another': replacing(
    ({ dir, other }) => ({ from: join(other, MANIFEST), to: join(dir, MANIFEST) }),
    /is missing|does not belong|was changed|bytes instead/,
  ),
  'file of another': replacing(
    ({ dir, other }) => ({ from: join(other, 'base/backup_label'), to: join(dir, 'base/backup_label') }),
    /base\/backup_label/,
  ),
  'keys of another': replacing(
    ({ dir, other }) => ({ from: join(other, 'keys/keys.sealed'), to: join(dir, 'keys/keys.sealed') }),
    /keys\/keys\.sealed/,
  ),
  'log of another': replacing(
    ({ dir, other }) => ({ from: logOf(other), to: logOf(dir) }),
    /continues another backup|not written with this passphrase/,
  ),
  'log without state': async ({ dir }) => {
    const text = await readFile(join(logOf(dir), STATE));
    await rm(join(logOf(dir), STATE));
    return { named: /state\.json is missing/, undo: () => writeFile(join(logOf(dir), STATE), text) };
  },
  'no log': async ({ dir }) => {
    await rename(logOf(dir), `${logOf(dir)}.kept`);
    return { named: /state\.json is missing/, undo: () => rename(`${logOf(dir)}.kept`, logOf(dir)) };
  },
  'path that leaves': forging((manifest, random) => {
    const path = pick(['base/../../../etc/passwd', '../secret-key', 'files/../../x', 'base//x', 'base/./x'], random);
    manifest.entries.push({ path, bytes: 0, sha256: '0'.repeat(64) });
  }, /reaches outside|no folder of a backup/),
  'path from the root': forging((manifest, random) => {
    manifest.entries.push({
      path: pick(['/etc/passwd', 'C:/x', 'base\\..\\x'], random),
      bytes: 0,
      sha256: '0'.repeat(64),
    });
  }, /no folder of a backup|no path of a backup/),
  'listed twice': forging((manifest, random) => {
    manifest.entries.push(pick(manifest.entries, random));
  }, /is listed twice/),
  'forged rows': forging((manifest) => {
    manifest.database!.tables['luna.tenant']!.rows += 1;
  }, /not written with this passphrase/),
  'forged without its keys': async ({ dir }) => {
    const sealed = join(dir, 'keys/keys.sealed');
    const [text, keys] = [await readFile(join(dir, MANIFEST), 'utf8'), await readFile(sealed)];
    const manifest = JSON.parse(text.split('\n')[0]!) as Manifest;
    const entries = manifest.entries.filter(({ path }) => path !== 'keys/keys.sealed');
    await writeFile(join(dir, MANIFEST), sealText({ ...manifest, keys: null, entries }, null));
    await rm(sealed);
    return {
      named: /passphrase was given, but the backup holds no keys/,
      async undo() {
        await writeFile(join(dir, MANIFEST), text);
        await writeFile(sealed, keys);
      },
    };
  },
  'forged without a file': forging((manifest) => {
    manifest.entries = manifest.entries.filter(({ path }) => path !== 'series/series.duckdb');
  }, /series\.duckdb/),
  'newer format': forging((manifest) => {
    manifest.format += 1;
  }, /newer Luna/),
  'newer migration': forging((manifest) => {
    manifest.database!.migrations.push('9999_tomorrow.sql');
  }, /newer Luna.*9999_tomorrow/),
};
export const KIND_NAMES = Object.keys(KINDS);
