/** Installs what the tests need beyond the lock file: a Chromium and, where Java is present, a QuestDB. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  BROWSERS,
  CACHE,
  findChromium,
  findJava,
  onPath,
  QUESTDB_VERSION,
  questdbJar,
  ROOT,
} from '../test/setup/environment.ts';

type Way = { name: string; usable: boolean; install(): void | Promise<void> };
type Say = (line: string) => void;

export async function installTestTools(say: Say): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  await installChromium(say);
  await installQuestdb(say);
}

async function installChromium(say: Say): Promise<void> {
  const isThere = () => Boolean(process.env.LUNA_TEST_CHROMIUM || findChromium());
  const ways: Way[] = [
    { name: 'Debian', usable: isRoot() && has('apt-get'), install: chromiumFromDebian },
    { name: 'npm', usable: process.platform === 'linux' && process.arch === 'x64', install: chromiumFromNpm },
    { name: "Playwright's own download", usable: true, install: chromiumFromPlaywright },
  ];
  await getBy('Chromium', ways, isThere, say);
}

export async function installQuestdb(say: Say): Promise<void> {
  if (!findJava()) return say('QuestDB: no Java 17 or newer here, its tests will be skipped');
  const isThere = () => Boolean(process.env.LUNA_TEST_QUESTDB_JAR) || existsSync(questdbJar());
  const ways: Way[] = [
    { name: 'Maven', usable: has('mvn'), install: questdbByMaven },
    { name: 'a download from Maven Central', usable: has('curl'), install: questdbByCurl },
  ];
  await getBy(`QuestDB ${QUESTDB_VERSION}`, ways, isThere, say);
}

/** Tries one way after the other; that none worked is for the tests to tell, by a skip with its reason. */
async function getBy(what: string, ways: readonly Way[], isThere: () => boolean, say: Say): Promise<void> {
  for (const { name, install } of ways.filter((way) => way.usable)) {
    if (isThere()) return;
    say(`getting ${what} from ${name} (once)`);
    try {
      await install();
    } catch (error) {
      say(`  ${error instanceof Error ? error.message : error}`);
    }
  }
  if (!isThere()) say(`${what} could not be had; its tests will be skipped`);
}

function chromiumFromDebian(): void {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  command('apt-get', ['update', '-qq'], quiet);
  command('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], quiet);
}

async function chromiumFromNpm(): Promise<void> {
  mkdirSync(BROWSERS, { recursive: true });
  const spec = '@sparticuz/chromium@147.0.0';
  writeFileSync(join(BROWSERS, 'package.json'), '{ "private": true }\n');
  command('npm', ['install', '--no-save', '--no-package-lock', '--loglevel=error', spec], systemPath(), BROWSERS);
  const folder = join(BROWSERS, 'node_modules/@sparticuz/chromium');
  const entry = pathToFileURL(join(folder, 'build/esm/index.js')).href;
  const { default: packed } = (await import(entry)) as { default: { executablePath(): Promise<string> } };
  const program = join(BROWSERS, 'chromium');
  copyFileSync(await packed.executablePath(), program);
  chmodSync(program, 0o755);
  if (spawnSync(program, ['--version'], { timeout: 20_000 }).status === 0) return;
  rmSync(program);
  throw new Error('the Chromium from npm does not start here (libraries are missing)');
}

function chromiumFromPlaywright(): void {
  const cli = join(ROOT, 'node_modules/playwright-core/cli.js');
  command(process.execPath, [cli, 'install', 'chromium-headless-shell'], { PLAYWRIGHT_BROWSERS_PATH: BROWSERS });
}

function questdbByMaven(): void {
  const artifact = `-Dartifact=org.questdb:questdb:${QUESTDB_VERSION}`;
  command('mvn', ['-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${CACHE}`]);
}

function questdbByCurl(): void {
  const part = `${questdbJar()}.part`;
  const path = `org/questdb/questdb/${QUESTDB_VERSION}/questdb-${QUESTDB_VERSION}.jar`;
  const base = process.env.LUNA_TEST_MAVEN_URL ?? 'https://repo1.maven.org/maven2';
  command('curl', ['-fsSL', '--retry', '2', '--max-time', '300', '-o', part, `${base}/${path}`]);
  renameSync(part, questdbJar());
}

function command(program: string, args: string[], env: Record<string, string> = {}, cwd = ROOT): void {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 300_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} failed: ${`${stdout}${stderr}`.trim().slice(-600)}`);
}

/** Under the project's own Node npm would not find its global configuration (a mirror, a certificate). */
function systemPath(): { PATH: string } {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return { PATH: folders.filter((folder) => !folder.startsWith(join(ROOT, '.node'))).join(delimiter) };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function has(program: string): boolean {
  return onPath([program], process.env.PATH) !== undefined;
}
