/** Where the tests find what is not in the lock file: a browser, a QuestDB and the large benchmark data. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
export const CACHE = join(ROOT, '.cache');
export const QUESTDB_VERSION = '9.3.4';
export const BROWSERS = join(CACHE, 'browsers');

/** Fills in the LUNA_TEST_… variables from what this machine has; what is set already wins. Downloads nothing. */
export function setTestEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  setDefault(env, 'LUNA_TEST_CHROMIUM', findChromium(env.PATH));
  setDefault(env, 'LUNA_TEST_QUESTDB_JAR', existing(questdbJar()));
  setDefault(env, 'LUNA_TEST_JAVA', findJava(env));
  setDefault(env, 'LUNA_BENCH_DATA', existing(resolve(ROOT, '../shared/data')));
}

export function questdbJar(): string {
  return join(CACHE, `questdb-${QUESTDB_VERSION}.jar`);
}

export function findChromium(path = process.env.PATH): string | undefined {
  return (
    onPath(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'], path) ??
    existing('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome') ??
    existing('/Applications/Chromium.app/Contents/MacOS/Chromium') ??
    existing(join(BROWSERS, 'chromium')) ??
    downloadedByPlaywright()
  );
}

/** QuestDB needs Java 17 or newer. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const java = existing(join(env.JAVA_HOME ?? '/nowhere', 'bin/java')) ?? onPath(['java'], env.PATH);
  if (!java) return undefined;
  const { stdout, stderr } = spawnSync(java, ['-version'], { encoding: 'utf8', timeout: 20_000 });
  const major = Number(/version "(\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? 0);
  return major >= 17 ? java : undefined;
}

export function onPath(names: readonly string[], path = ''): string | undefined {
  const folders = path.split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function downloadedByPlaywright(): string | undefined {
  if (!existsSync(BROWSERS)) return undefined;
  const files = readdirSync(BROWSERS, { recursive: true, encoding: 'utf8' });
  const program = files.find((file) => /(^|\/)(chrome|chrome-headless-shell|headless_shell|Chromium)$/.test(file));
  return program && existing(join(BROWSERS, program));
}

function setDefault(env: NodeJS.ProcessEnv, name: string, value: string | undefined): void {
  if (!env[name] && value) env[name] = value;
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
