/**
 * What a release is made of, into .cache/release: the CycloneDX SBOM, the licences, the notes from CHANGELOG.md; and that
 * `npm audit` finds nothing but what scripts/accepted-advisories.json accepts. `make release-check` in the workflow and here.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, '.cache/release');

type Lock = { packages: Record<string, { version?: string; license?: string; dev?: boolean }> };
export type Accepted = { advisory: string; reason: string; until: string };
type Audit = { vulnerabilities?: Record<string, { via: (string | { url?: string; title?: string })[] }> };

/** Packages that name their licence in a file alone. */
const IN_FILE: Readonly<Record<string, string>> = { 'htmx-ext-sse': '0BSD' };

/** Packages of the image with their licences, `name@version: licence`. */
export function licencesOf({ packages }: Lock): string[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version, license }]) => {
      const name = path.replace(/^.*node_modules\//, '');
      return `${name}@${version}: ${license ?? IN_FILE[name] ?? 'unknown'}`;
    })
    .sort();
}

/** The part of the changelog about a version, or what is not released yet. @throws Error where there is none */
export function notesOf(changelog: string, version: string): string {
  const parts = changelog.split(/^## /m).slice(1);
  const part = parts.find((text) => text.startsWith(version) || text.startsWith(`[${version}]`)) ?? parts[0];
  if (!part) throw new Error('CHANGELOG.md has no part that begins with "## ".');
  return `## ${part.trim()}\n`;
}

/** Findings that nobody accepted, or whose acceptance is over. */
export function unaccepted(audit: Audit, accepted: readonly Accepted[], today: string): string[] {
  const valid = new Set(accepted.filter(({ until }) => until >= today).map(({ advisory }) => advisory));
  const found = Object.entries(audit.vulnerabilities ?? {}).flatMap(([name, { via }]) =>
    via.flatMap((one) => (typeof one === 'string' ? [] : [`${name}: ${one.url} ${one.title ?? ''}`.trim()])),
  );
  return found.filter((text) => ![...valid].some((advisory) => text.includes(advisory)));
}

function npm(args: string[]): string {
  const { stdout, stderr, status } = spawnSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 ** 2,
  });
  if (status !== 0 && !stdout.startsWith('{')) throw new Error(`npm ${args.join(' ')}: ${stderr.slice(-400)}`);
  return stdout;
}

if (import.meta.main) {
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    join(FOLDER, 'licences.txt'),
    `${licencesOf(JSON.parse(read('package-lock.json')) as Lock).join('\n')}\n`,
  );
  writeFileSync(join(FOLDER, 'notes.md'), notesOf(read('CHANGELOG.md'), version));
  writeFileSync(join(FOLDER, 'sbom.cdx.json'), npm(['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev']));
  const accepted = JSON.parse(read('scripts/accepted-advisories.json')) as Accepted[];
  const audit = JSON.parse(npm(['audit', '--omit', 'dev', '--json'])) as Audit;
  const left = unaccepted(audit, accepted, new Date().toISOString().slice(0, 10));
  for (const line of left) console.error(`not accepted: ${line}`);
  console.log(
    `${FOLDER}: SBOM, licences and notes of ${version}; ${left.length} findings of npm audit that nobody accepted`,
  );
  process.exitCode = left.length > 0 ? 1 : 0;
}
