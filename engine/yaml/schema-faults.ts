/** The faults of a YAML file that people write, in words: the line, what is wrong there, and what to write instead. */
import { z } from 'zod';
import { nearest } from './nearest.ts';
import { readSourceLines, type SourceLines } from './source-lines.ts';

/** `where` is the file and line, `problem` what is wrong, `remedy` what to write instead. */
export type YamlFault = { where: string; problem: string; remedy?: string };
export type CheckedYaml<Value> = { value: Value | null; lines: SourceLines; faults: YamlFault[] };
type Words = Omit<YamlFault, 'where'>;

export type YamlKind = {
  /** What `where` begins with: `profile.yaml line`, `line`. */
  place: string;
  /** What the whole file is: `the profile`. */
  whole: string;
  /** Better words for some faults; undefined leaves it to the general ones. */
  special?: (issue: z.core.$ZodIssue, value: unknown, name: string) => Words | undefined;
};

export function checkYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  kind: YamlKind,
): CheckedYaml<z.output<Schema>> {
  const lines = readSourceLines(text);
  const at = (line: number) => `${kind.place} ${line}`;
  if (lines.errors.length > 0)
    return { value: null, lines, faults: lines.errors.map(({ line, message }) => syntaxFault(at(line), message)) };
  const parsed = schema.safeParse(lines.value);
  if (parsed.success) return { value: parsed.data, lines, faults: [] };
  const faults = parsed.error.issues.flatMap((issue): YamlFault[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        where: at(lines.lineOfKey(issue.path, key)),
        ...unknownKey(schema, issue.path, key, kind.whole),
      }));
    const value = valueIn(lines.value, issue.path);
    const name = nameOf(issue.path, kind.whole);
    const words = kind.special?.(issue, value, name) ?? wordsOf(issue, value, name);
    return [{ where: at(lines.lineOf(issue.path)), ...words }];
  });
  return { value: null, lines, faults };
}

function syntaxFault(where: string, message: string): YamlFault {
  return {
    where,
    problem: `this is no valid YAML: ${message}`,
    remedy: 'Check indentation, brackets, and that texts with ":" "#" "{" or "[" stand in quotes.',
  };
}

function unknownKey(schema: z.ZodType, path: readonly PropertyKey[], key: string, whole: string): Words {
  const known = knownKeys(schema, path);
  const meant = nearest(key, known);
  return {
    problem: `there is no key "${key}" ${path.length > 0 ? `in ${nameOf(path, whole)}` : 'here'}`,
    remedy: meant ? `Write "${meant}".` : `Known here are ${known.join(', ')}.`,
  };
}

function wordsOf(issue: z.core.$ZodIssue, value: unknown, name: string): Words {
  if (issue.code === 'invalid_value')
    return chosen(`${name} cannot be ${shown(value)}`, String(value), issue.values.map(String));
  if (value === undefined) return { problem: `${name} is missing`, remedy: `Add it${hintOf(issue)}.` };
  if (issue.code === 'invalid_type')
    return { problem: `${name} is ${shown(value)}`, remedy: `Write ${EXPECTED[issue.expected] ?? issue.expected}.` };
  return { problem: `${name}: ${issue.message}` };
}

const EXPECTED: Readonly<Record<string, string>> = {
  number: 'a number, with a point for decimals and without unit',
  int: 'a whole number',
  string: 'a text',
  object: 'keys and values ({ key: value })',
  record: 'keys and values ({ key: value })',
  array: 'a list ([a, b])',
  boolean: 'true or false',
};

/** A value that is none of the known ones: the nearest, or all of them. */
export function chosen(problem: string, value: string, known: readonly string[]): Words {
  const meant = nearest(value, known);
  return { problem, remedy: meant ? `Did you mean "${meant}"?` : `Possible are ${known.join(', ')}.` };
}

function hintOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' && EXPECTED[issue.expected] ? ` as ${EXPECTED[issue.expected]}` : '';
}

/** `demand[1].steps[2]`, counted from one. */
export function nameOf(path: readonly PropertyKey[], whole: string): string {
  return path.length === 0
    ? whole
    : path
        .map((part) => (typeof part === 'number' ? `[${part + 1}]` : String(part)))
        .join('.')
        .replaceAll('.[', '[');
}

export function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'missing');
}

function valueIn(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  );
}

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
};

/** The keys that the schema has at `path`. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let found: JsonSchema | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  for (const part of path) {
    const inner: JsonSchema | boolean | undefined =
      typeof part === 'number' ? found?.items : (found?.properties?.[String(part)] ?? found?.additionalProperties);
    found = typeof inner === 'object' ? inner : undefined;
  }
  return Object.keys(found?.properties ?? {});
}
