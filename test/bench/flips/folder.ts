/** A journal as the files of its folder, and what one damaged byte of it cost. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Folder = Map<string, Buffer>;
/** A journal's files, what they hold, and in which segment. */
export type Sample = { folder: Folder; records: Map<number, { text: string; segment: string }>; last_seq: number };
export type Flip = { file: string; at: number; mask: number };
export type FlipOutcome = {
  lost_outside_segment: number;
  lost_inside: number;
  /** A record was lost and nobody was told in which segment. */
  unnamed: boolean;
  start_s: number;
};

export function damaged(folder: Folder, { file, at, mask }: Flip): Folder {
  const bytes = Buffer.from(folder.get(file)!);
  bytes[at] = bytes[at]! ^ mask;
  return new Map(folder).set(file, bytes);
}

export async function readFolder(dir: string): Promise<Folder> {
  const names = await readdir(dir);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name))] as const)));
}

export async function writeFolder(dir: string, folder: Folder): Promise<void> {
  for (const name of await readdir(dir)) if (!folder.has(name)) await rm(join(dir, name));
  for (const [name, bytes] of folder) await writeFile(join(dir, name), bytes);
}
