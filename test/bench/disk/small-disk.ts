/** A disk of its own of a few hundred MB, that can be filled to the last byte: a tmpfs in a mount namespace. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-U', '--map-current-user', '-m', '--keep-caps'];
/** Set in a process that may mount. */
const INSIDE = 'LUNA_TEST_MAY_MOUNT';

/** Whether this machine lets us have one. */
export function canMount(): boolean {
  try {
    const dir = mkdtempSync(join(tmpdir(), 'luna-mount-'));
    execFileSync('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Runs the program with these arguments where it may mount. @returns what it printed */
export function runInNamespace(args: readonly string[], onLine: (line: string) => void): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', [...NAMESPACE, process.execPath, ...args], {
      env: { ...process.env, [INSIDE]: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    let rest = '';
    child.stdout.on('data', (bytes: Buffer) => {
      const parts = (rest + bytes.toString()).split('\n');
      rest = parts.pop()!;
      for (const line of parts) onLine(line);
      lines.push(...parts);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve([...lines, rest].filter(Boolean))
        : reject(new Error(`it ended with ${code}: ${lines.slice(-5).join('\n')}`)),
    );
  });
}

export const mayMount = () => process.env[INSIDE] === '1';

const ZEROS = Buffer.alloc(2 ** 20);

export type SmallDisk = {
  dir: string;
  /** Leaves no free byte. */
  fill(): void;
  makeRoom(): void;
  end(): void;
};

/** Only where `mayMount`. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'luna-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', dir]);
  const ballast = join(dir, 'ballast');
  return {
    dir,
    fill() {
      const file = openSync(ballast, 'a');
      for (let chunk = ZEROS.length; chunk >= 1; )
        try {
          writeSync(file, ZEROS, 0, chunk);
        } catch {
          chunk = Math.floor(chunk / 2);
        }
      closeSync(file);
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    end() {
      execFileSync('umount', ['-l', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
