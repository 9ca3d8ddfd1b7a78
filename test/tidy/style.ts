/** House rules that no linter knows. Each returns its complaints about one file; none means tidy. */
import { importsOf, type SourceFile, withoutComments, withoutStrings } from './source.ts';

export type Rule = (file: SourceFile) => string[];

const LIMIT_LINES = 400;

export const STYLE_RULES: Record<string, Rule> = {
  'no utils, helpers, index or manager files': ({ path }) =>
    /(^|\/)(utils?|helpers?|index|[\w-]*managers?)\.ts$/i.test(path) ? ['name the file after what it does'] : [],

  'no I prefix and no manager': ({ text }) => [
    ...matches(withoutStrings(text), /\b(?:interface|type)\s+I[A-Z][a-z]\w*/g),
    ...matches(withoutStrings(text), /\b(?:class|interface|type|function|const|let)\s+\w*[Mm]anager\w*/g),
  ],

  [`at most ${LIMIT_LINES} lines`]: ({ text }) => {
    const lines = text.split('\n').length - 1;
    return lines > LIMIT_LINES ? [`${lines} lines`] : [];
  },

  'no escape from the type checker': ({ text }) => [
    ...matches(withoutStrings(text), /\bas any\b|<any>/g),
    ...matches(text, /@ts-(?:ignore|nocheck|expect-error)/g),
  ],

  'no test left on .only': ({ text }) => matches(withoutStrings(text), /\b(?:it|test|describe)\.only\b/g),

  'nothing put off': ({ text }) => matches(text, /\b(?:TODO|FIXME|XXX)\b/g),

  'relative imports name the file': (file) =>
    importsOf(file)
      .filter(({ own, as_written }) => own && !/\.(ts|js|mjs|json)$/.test(as_written))
      .map(({ as_written }) => as_written),
};

/** Samples of what is wrong stand in these tests themselves. */
export function isSample(path: string): boolean {
  return path.startsWith('test/tidy/');
}

type Package = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

export function unpinned({ dependencies, devDependencies }: Package): string[] {
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name}: ${version}`);
}

/** A dependency counts as used where a source file names it in quotes or by its folder (assets and programs). */
export function unused({ dependencies, devDependencies }: Package, source: readonly SourceFile[]): string[] {
  const code = source.map(({ text }) => withoutComments(text)).join('\n');
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    if (name.startsWith('@types/')) return false;
    const escaped = name.replace(/[.+]/g, '\\$&');
    return !new RegExp(`['"\`]${escaped}['"\`/]|node_modules/${escaped}/`).test(code);
  });
}

type Lock = { packages: Record<string, Package & { optionalDependencies?: Record<string, string> }> };

/** What a lock leaves out (a platform that its maker could not get), `npm ci` refuses everywhere. */
export function missingFromLock({ packages }: Lock): string[] {
  const present = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !present.has(name))
      .map((name) => `${path} needs ${name}`),
  );
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([found]) => found);
}
