/** The recorder of writes: built with the machine's C compiler, preloaded into a process, its log read back. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../setup/environment.ts';
import type { DiskOperation } from './disk-model.ts';

const SOURCE = join(import.meta.dirname, 'record-writes.c');
/** Whatever a process writes into this file of its folder is an acknowledgement: numbers, one a line. */
export const ACKNOWLEDGED = 'acknowledged';

/** Whether a C compiler is there (and the system is one whose linker preloads). */
export function canRecord(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns the path of the built recorder. @throws when there is no compiler */
export function buildRecorder(): string {
  mkdirSync(CACHE, { recursive: true });
  const version = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const built = join(CACHE, `record-writes-${version}.so`);
  if (!existsSync(built)) {
    // Another test may build it at the same time: whoever is last puts the same file there.
    const draft = `${built}.${process.pid}`;
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', draft, SOURCE, '-ldl', '-lpthread'], { stdio: 'inherit' });
    renameSync(draft, built);
  }
  return built;
}

/** What a process is started with so that its writes below `dir` are recorded into `log`. */
export function recording(recorder: string, dir: string, log: string): Record<string, string> {
  return { LD_PRELOAD: recorder, LUNA_CUT_DIR: dir, LUNA_CUT_LOG: log, UV_USE_IO_URING: '0' };
}

const HEAD_BYTES = 32;

/** Reads the log of a recorded process; a record that a kill cut off is left out. */
export function parseTrace(log: Buffer): DiskOperation[] {
  const operations: DiskOperation[] = [];
  const acknowledged = { file: -1, rest: '' };
  for (let at = 0; at + HEAD_BYTES <= log.length; ) {
    const end = at + HEAD_BYTES + log.readUInt32LE(at + 4);
    if (end > log.length) break;
    const text = log.subarray(at + HEAD_BYTES, end);
    const file = Number(log.readBigUInt64LE(at + 8));
    const number = Number(log.readBigUInt64LE(at + 16));
    const operation = operationOf(log.readUInt32LE(at), file, number, text);
    at = end;
    if ('path' in operation && operation.path === ACKNOWLEDGED) acknowledged.file = file;
    else if (operation.op === 'write' && file === acknowledged.file)
      operations.push(...acknowledgements(acknowledged, text));
    else operations.push(operation);
  }
  return operations;
}

function acknowledgements(state: { rest: string }, text: Buffer): DiskOperation[] {
  const lines = (state.rest + text.toString('latin1')).split('\n');
  state.rest = lines.pop() ?? '';
  return lines.map((line) => ({ op: 'acknowledge', number: Number(line) }));
}

function operationOf(code: number, file: number, number: number, text: Buffer): DiskOperation {
  const words = text.toString('utf8');
  const [from = '', to = ''] = words.split('\0');
  switch (code) {
    case 1:
      return { op: 'create', file, path: words };
    case 2:
      return { op: 'write', file, offset: number, bytes: text };
    case 3:
      return { op: 'truncate', file, length: number };
    case 4:
      return { op: 'begin sync', file, sync: number };
    case 5:
      return { op: 'end sync', file, sync: number };
    case 6:
      return { op: 'begin sync folder', path: words, sync: number };
    case 7:
      return { op: 'end sync folder', path: words, sync: number };
    case 8:
      return { op: 'rename', from, to };
    case 9:
      return { op: 'link', from, to };
    case 10:
      return { op: 'remove', path: words };
    case 11:
      return { op: 'make folder', path: words };
    case 12:
      return { op: 'open', file, path: words };
    default:
      throw new Error(`the trace holds a record of kind ${code}`);
  }
}
