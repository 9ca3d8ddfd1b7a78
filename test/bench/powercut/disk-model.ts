/**
 * What a disk holds after a power cut: everything that was synced, and of the rest what chance left.
 *
 * The model is the one that POSIX allows and journalling file systems show (Pillai et al., "All File Systems Are Not
 * Created Equal", OSDI 2014): data that was not synced survives by whole sectors or pages, each as it was at some moment
 * since the last sync, so that writes are torn and reordered; a file that grew may hold zeros or have its old length;
 * names (create, rename, link, remove) survive in their order in each folder, but for sure only those that a sync of that
 * very folder covers. A sync of a file says nothing of its name.
 */
import type { Random } from '../../../engine/random.ts';

/** One change of the disk, in the order in which it happened. `file` tells files apart, whatever their name. */
export type DiskOperation =
  | { op: 'create'; file: number; path: string }
  | { op: 'open'; file: number; path: string }
  | { op: 'write'; file: number; offset: number; bytes: Buffer }
  | { op: 'truncate'; file: number; length: number }
  | { op: 'begin sync' | 'end sync'; file: number; sync: number }
  | { op: 'begin sync folder' | 'end sync folder'; path: string; sync: number }
  | { op: 'rename' | 'link'; from: string; to: string }
  | { op: 'remove'; path: string }
  | { op: 'make folder'; path: string }
  /** What somebody was told to be safe. */
  | { op: 'acknowledge'; number: number };

/** Files by path; null is a folder. */
export type DiskImage = Map<string, Buffer | null>;

type DataOperation = Extract<DiskOperation, { op: 'write' | 'truncate' }>;
type NameOperation =
  | { op: 'create'; path: string; file: number }
  | { op: 'remove' | 'make folder'; path: string }
  | { op: 'rename' | 'link'; from: string; to: string };
type Pending<Kind> = { index: number; operation: Kind };
type ModelFile = { safe: Buffer; pending: Pending<DataOperation>[] };
type Names = Map<string, number | null>;

/**
 * @param before the disk before the first operation, all of it safe
 * @param operations what happened until the power went
 * @param random decides what survives
 * @returns the disk as the next start finds it
 */
export function cutPower(before: DiskImage, operations: readonly DiskOperation[], random: Random): DiskImage {
  const files = new Map<number, ModelFile>();
  const names: Names = new Map();
  const current: Names = new Map();
  let pendingNames: Pending<NameOperation>[] = [];
  let original = -1;
  for (const [path, bytes] of before) {
    const file = bytes === null ? null : original--;
    if (file !== null) files.set(file, { safe: bytes!, pending: [] });
    names.set(path, file);
    current.set(path, file);
  }
  const begun = new Map<number, number>();
  /** The operations know files by inode; those from before the first operation are met by their path. */
  const known = new Map<number, number>();
  for (const [index, operation] of operations.entries())
    if (isName(operation)) {
      if (operation.op === 'create') {
        const file = index + 1;
        known.set(operation.file, file);
        files.set(file, { safe: Buffer.alloc(0), pending: [] });
        applyName(current, operation, file);
      } else applyName(current, operation);
      pendingNames.push({ index, operation });
    } else if (operation.op === 'open') known.set(operation.file, current.get(operation.path)!);
    else if (operation.op === 'write' || operation.op === 'truncate')
      fileOf(operation.file).pending.push({ index, operation });
    else if (operation.op === 'begin sync' || operation.op === 'begin sync folder') begun.set(operation.sync, index);
    else if (operation.op === 'end sync') makeSafe(fileOf(operation.file), begun.get(operation.sync) ?? 0);
    else if (operation.op === 'end sync folder') {
      const covered = begun.get(operation.sync) ?? 0;
      settleNames(operation.path, (one) => one.index < covered);
    }
  for (const folder of new Set(pendingNames.map((one) => folderOf(one.operation)))) {
    const waiting = pendingNames.filter((one) => folderOf(one.operation) === folder);
    const survivors = new Set(waiting.slice(0, Math.floor(random() * (waiting.length + 1))));
    settleNames(folder, (one) => survivors.has(one));
  }
  return imageOf(names, files, random);

  function settleNames(folder: string, isSafe: (one: Pending<NameOperation>) => boolean): void {
    const safe = pendingNames.filter((one) => folderOf(one.operation) === folder && isSafe(one));
    for (const one of safe) applyName(names, one.operation, one.index + 1);
    pendingNames = pendingNames.filter((one) => !safe.includes(one));
  }
  function fileOf(inode: number): ModelFile {
    const file = files.get(known.get(inode) ?? inode);
    if (!file) throw new Error(`the trace writes to a file that it never named (${inode})`);
    return file;
  }
}

function imageOf(names: Names, files: Map<number, ModelFile>, random: Random): DiskImage {
  const image: DiskImage = new Map();
  const survived = new Map<number, Buffer>();
  for (const [path, file] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const parent = parentOf(path);
    if (parent !== '.' && !image.has(parent)) continue;
    if (file !== null && !survived.has(file)) survived.set(file, whatSurvives(files.get(file)!, random));
    image.set(path, file === null ? null : survived.get(file)!);
  }
  return image;
}

function isName(operation: DiskOperation): operation is DiskOperation & NameOperation {
  return ['create', 'rename', 'link', 'remove', 'make folder'].includes(operation.op);
}

/** Names move within one folder only. */
function folderOf(operation: NameOperation): string {
  return parentOf('path' in operation ? operation.path : operation.to);
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
}

function applyName(names: Names, operation: NameOperation, created?: number): void {
  if (operation.op === 'create') names.set(operation.path, created!);
  else if (operation.op === 'make folder') names.set(operation.path, null);
  else if (operation.op === 'remove') names.delete(operation.path);
  else if ('from' in operation) {
    const file = names.get(operation.from);
    if (file === undefined) return;
    names.set(operation.to, file);
    if (operation.op === 'rename') names.delete(operation.from);
  }
}

function makeSafe(file: ModelFile, before: number): void {
  const covered = file.pending.filter((one) => one.index < before);
  file.pending = file.pending.filter((one) => one.index >= before);
  if (covered.length > 0)
    file.safe = applyData(
      file.safe,
      covered.map((one) => one.operation),
      () => true,
    );
}

/** Applies the operations in order; `keeps` decides of each unit that a write touches, null of a truncation. */
function applyData(
  start: Buffer,
  operations: readonly DataOperation[],
  keeps: (unit: number | null) => boolean,
  unit_bytes = 4096,
  growsAlone = () => true,
): Buffer {
  let end = start.length;
  const most = operations.reduce((size, one) => Math.max(size, one.op === 'write' ? endOf(one) : one.length), end);
  const bytes = Buffer.alloc(most);
  start.copy(bytes);
  for (const one of operations) {
    if (one.op === 'truncate') {
      if (!keeps(null)) continue;
      if (one.length < end) bytes.fill(0, one.length, end);
      end = one.length;
      continue;
    }
    if (growsAlone()) end = Math.max(end, endOf(one));
    for (let unit = Math.floor(one.offset / unit_bytes); unit * unit_bytes < endOf(one); unit++) {
      if (!keeps(unit)) continue;
      const from = Math.max(one.offset, unit * unit_bytes);
      const to = Math.min(endOf(one), (unit + 1) * unit_bytes);
      one.bytes.copy(bytes, from, from - one.offset, to - one.offset);
      end = Math.max(end, to);
    }
  }
  return bytes.subarray(0, end);
}

function endOf(write: Extract<DataOperation, { op: 'write' }>): number {
  return write.offset + write.bytes.length;
}

/** Each unit survives as it was after some number of the writes to it, from none to all of them. */
function whatSurvives({ safe, pending }: ModelFile, random: Random): Buffer {
  if (pending.length === 0) return safe;
  const operations = pending.map((one) => one.operation);
  const unit_bytes = random() < 0.5 ? 4096 : 512;
  const luck = [0, 0.1, 0.5, 0.9, 1][Math.floor(random() * 5)]!;
  const touches = new Map<number, number>();
  applyData(
    safe,
    operations,
    (unit) => {
      if (unit !== null) touches.set(unit, (touches.get(unit) ?? 0) + 1);
      return true;
    },
    unit_bytes,
  );
  const left = new Map<number, number>();
  for (const [unit, count] of touches) left.set(unit, random() < luck ? count : Math.floor(random() * (count + 1)));
  const grows = random() < 0.5;
  const keeps = (unit: number | null) => {
    if (unit === null) return random() < luck;
    const count = left.get(unit)!;
    left.set(unit, count - 1);
    return count > 0;
  };
  return applyData(safe, operations, keeps, unit_bytes, () => grows);
}
