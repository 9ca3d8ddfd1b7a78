/** What forms share: their text fields, and faults of a service beside the fields they belong to. */
import type { Context } from 'hono';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { FormState } from '../../../web/components/controls.ts';
import type { Env } from '../api.ts';

/** Text fields as they were typed (passwords keep their spaces). */
export async function fieldsOf(c: Context<Env>): Promise<Record<string, string>> {
  const body = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The sentence of a refusal with what to do. */
export function sentence(error: InvalidDataError): string {
  return [error.message, error.remedy].filter(Boolean).join(' ');
}

/** @returns what `work` did, or the refusal; other errors pass. */
export async function refusable<T>(work: () => Promise<T>): Promise<{ done: T } | { refused: InvalidDataError }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (error instanceof InvalidDataError) return { refused: error };
    throw error;
  }
}

/** Faults stand beside the fields whose name ends their place (`connection.host` → `host`); the rest is one sentence. */
export function faultsByField(
  error: InvalidDataError,
  fields: readonly string[],
): { errors: FormState['errors']; problem: string | null } {
  const errors: Record<string, string> = {};
  for (const { where, problem } of error.faults) {
    const name = fields.find((field) => where === field || where.endsWith(`.${field}`));
    if (name && !errors[name]) errors[name] = problem;
  }
  const all = error.faults.length > 0 && Object.keys(errors).length === error.faults.length;
  return { errors, problem: all ? null : sentence(error) };
}
