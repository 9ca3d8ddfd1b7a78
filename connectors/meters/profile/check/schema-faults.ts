/** The faults of a profile.yaml in words: the line, what is wrong there, and what to write instead. */
import { z } from 'zod';
import { QUANTITIES } from '../../../../engine/model/quantity.ts';
import { ProfileSchema, type ProfileSpec } from '../schema.ts';
import { UNIT_NAMES, unitFactor } from '../units.ts';
import { nearest } from './nearest.ts';
import type { Finding } from './report.ts';
import { readSourceLines, type SourceLines } from './source-lines.ts';

export type CheckedSchema = { spec: ProfileSpec | null; lines: SourceLines; faults: Finding[] };

const FILE = 'profile.yaml';

export function at(line: number): string {
  return `${FILE} line ${line}`;
}

/** @param text the YAML of a profile. */
export function checkSchema(text: string): CheckedSchema {
  const lines = readSourceLines(text);
  if (lines.errors.length > 0) return { spec: null, lines, faults: lines.errors.map(syntaxFault) };
  const parsed = ProfileSchema.safeParse(lines.value);
  if (parsed.success) return { spec: parsed.data, lines, faults: [] };
  return { spec: null, lines, faults: parsed.error.issues.flatMap((issue) => schemaFaults(issue, lines)) };
}

function syntaxFault({ line, message }: SourceLines['errors'][number]): Finding {
  return {
    where: at(line),
    problem: `this is no valid YAML: ${message}`,
    remedy: 'Check indentation, brackets, and that texts with ":" "#" "{" or "[" stand in quotes.',
  };
}

function schemaFaults(issue: z.core.$ZodIssue, lines: SourceLines): Finding[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, lines));
  return [{ where: at(lines.lineOf(issue.path)), ...wordsOf(issue, valueIn(lines.value, issue.path)) }];
}

function unknownKey(path: readonly PropertyKey[], key: string, lines: SourceLines): Finding {
  const known = knownKeys(path);
  const meant = nearest(key, known);
  return {
    where: at(lines.lineOfKey(path, key)),
    problem: `there is no key "${key}" ${path.length > 0 ? `in ${nameOf(path)}` : 'here'}`,
    remedy: meant ? `Write "${meant}".` : `Known here are ${known.join(', ')}.`,
  };
}

function wordsOf(issue: z.core.$ZodIssue, value: unknown): Omit<Finding, 'where'> {
  const name = nameOf(issue.path);
  const last = issue.path.at(-1);
  if (last === 'unit') return unitWords(value, issue);
  if (last === 'quantity') return chosen(`"${String(value)}" is no quantity`, String(value), Object.keys(QUANTITIES));
  if (issue.code === 'invalid_value')
    return chosen(`${name} cannot be ${shown(value)}`, String(value), issue.values.map(String));
  if (value === undefined) return { problem: `${name} is missing`, remedy: `Add it${hintOf(issue)}.` };
  if (last === 'max_registers')
    return { problem: `${name} is ${shown(value)}`, remedy: 'Modbus gives at most 125 registers in one request.' };
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

function unitWords(value: unknown, issue: z.core.$ZodIssue): Omit<Finding, 'where'> {
  const unit = String(value);
  if (!UNIT_NAMES.includes(unit)) return chosen(`"${unit}" is no unit we know`, unit, UNIT_NAMES);
  const quantity = /but (\w+) is/.exec(issue.message)?.[1];
  const fitting = UNIT_NAMES.filter((name) => quantity && typeof unitFactor(name, quantity) === 'number');
  return { problem: issue.message, remedy: `Write ${fitting.join(', ')}, or choose another quantity.` };
}

function chosen(problem: string, value: string, known: readonly string[]): Omit<Finding, 'where'> {
  const meant = nearest(value, known);
  return { problem, remedy: meant ? `Did you mean "${meant}"?` : `Possible are ${known.join(', ')}.` };
}

function hintOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' && EXPECTED[issue.expected] ? ` as ${EXPECTED[issue.expected]}` : '';
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.length === 0
    ? 'the profile'
    : path
        .map((part) => (typeof part === 'number' ? `[${part + 1}]` : String(part)))
        .join('.')
        .replaceAll('.[', '[');
}

function shown(value: unknown): string {
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
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: JsonSchema | undefined = z.toJSONSchema(ProfileSchema, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema;
  for (const part of path) {
    const inner: JsonSchema | boolean | undefined =
      typeof part === 'number' ? schema?.items : (schema?.properties?.[String(part)] ?? schema?.additionalProperties);
    schema = typeof inner === 'object' ? inner : undefined;
  }
  return Object.keys(schema?.properties ?? {});
}
