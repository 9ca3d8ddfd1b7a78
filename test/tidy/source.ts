/** The project's own source files, and what they import. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from '../setup/environment.ts';

export type SourceFile = { path: string; text: string };
/** `target` is a path from the root for our own files, a package name or `node:…` otherwise. */
export type Import = { target: string; own: boolean; types_only: boolean; as_written: string };

const FOLDERS = ['engine', 'recommender', 'connectors', 'gateway', 'web', 'scripts', 'test'];

export function readSource(root = ROOT): SourceFile[] {
  const paths = FOLDERS.flatMap((folder) => list(root, folder)).filter((path) => path.endsWith('.ts'));
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function list(root: string, folder: string): string[] {
  try {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    return files.map((file) => `${folder}/${file}`).filter((path) => !path.includes('node_modules'));
  } catch {
    return [];
  }
}

export function importsOf({ path, text }: SourceFile): Import[] {
  const code = withoutComments(text);
  const statement = /(?:^|[\n;])\s*(?:import|export)\s+(type\s)?(?:[\w*{][^'"`;]*?\sfrom\s*)?['"]([^'"\n]+)['"]/g;
  const call = /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)(\.\w)?/g;
  return [
    ...[...code.matchAll(statement)].map(([, type, name = '']) => describe(path, name, Boolean(type))),
    ...[...code.matchAll(call)].map(([, name = '']) => describe(path, name, false)),
  ];
}

function describe(path: string, name: string, types_only: boolean): Import {
  const own = name.startsWith('.');
  const target = own ? normalize(join(dirname(path), name)) : packageName(name);
  return { target, own, types_only, as_written: name };
}

function packageName(name: string): string {
  if (name.startsWith('node:')) return name;
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

const STRING_OR_COMMENT =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(?<![\\:/])\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (_, string?: string) => string ?? ' ');
}

export function withoutStrings(text: string): string {
  return withoutComments(text).replace(STRING_OR_COMMENT, "''");
}
