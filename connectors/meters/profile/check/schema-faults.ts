/** The faults of a profile.yaml in words: the line, what is wrong there, and what to write instead. */
import type { z } from 'zod';
import { QUANTITIES } from '../../../../engine/model/quantity.ts';
import { checkYaml, chosen, shown } from '../../../../engine/yaml/schema-faults.ts';
import type { SourceLines } from '../../../../engine/yaml/source-lines.ts';
import { ProfileSchema, type ProfileSpec } from '../schema.ts';
import { UNIT_NAMES, unitFactor } from '../units.ts';
import type { Finding } from './report.ts';

export type CheckedSchema = { spec: ProfileSpec | null; lines: SourceLines; faults: Finding[] };

const PLACE = 'profile.yaml line';

export function at(line: number): string {
  return `${PLACE} ${line}`;
}

/** @param text the YAML of a profile. */
export function checkSchema(text: string): CheckedSchema {
  const { value, lines, faults } = checkYaml(text, ProfileSchema, { place: PLACE, whole: 'the profile', special });
  return { spec: value, lines, faults };
}

function special(issue: z.core.$ZodIssue, value: unknown, name: string): Omit<Finding, 'where'> | undefined {
  const last = issue.path.at(-1);
  if (last === 'unit') return unitWords(value, issue);
  if (last === 'quantity') return chosen(`"${String(value)}" is no quantity`, String(value), Object.keys(QUANTITIES));
  if (last === 'max_registers' && issue.code !== 'invalid_value' && value !== undefined)
    return { problem: `${name} is ${shown(value)}`, remedy: 'Modbus gives at most 125 registers in one request.' };
  return undefined;
}

function unitWords(value: unknown, issue: z.core.$ZodIssue): Omit<Finding, 'where'> {
  const unit = String(value);
  if (!UNIT_NAMES.includes(unit)) return chosen(`"${unit}" is no unit we know`, unit, UNIT_NAMES);
  const quantity = /but (\w+) is/.exec(issue.message)?.[1];
  const fitting = UNIT_NAMES.filter((name) => quantity && typeof unitFactor(name, quantity) === 'number');
  return { problem: issue.message, remedy: `Write ${fitting.join(', ')}, or choose another quantity.` };
}
