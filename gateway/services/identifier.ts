/** Ids that people choose: they stand in topics, URLs, file names and metrics. */
import type { Fault } from '../../engine/errors.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
export const ID_REMEDY =
  'An id has 1 to 64 letters, digits, dots, underscores or hyphens, and begins with a letter or digit.';

export function isId(text: unknown): text is string {
  return typeof text === 'string' && ID.test(text);
}

/** Faults of a text that people read: empty, too long, or with control characters. */
export function textFaults(where: string, value: unknown, max: number, options: { empty?: boolean } = {}): Fault[] {
  if (typeof value !== 'string') return [{ where, problem: 'is missing' }];
  if (!options.empty && value.trim() === '') return [{ where, problem: 'is empty' }];
  if (value.length > max) return [{ where, problem: `is longer than ${max} characters` }];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) return [{ where, problem: 'contains control characters' }];
  return [];
}

export function wholeNumberFaults(where: string, value: number, min: number, max: number): Fault[] {
  return Number.isInteger(value) && value >= min && value <= max
    ? []
    : [{ where, problem: `is a whole number from ${min} to ${max}` }];
}
