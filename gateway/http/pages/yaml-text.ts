/** Text that people typed as YAML. */
import { parse } from 'yaml';
import { InvalidDataError } from '../../../engine/errors.ts';

/** @param begin what to do where the text names nothing @throws InvalidDataError */
export function readYaml(text: string, begin: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text, { maxAliasCount: 10 });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new InvalidDataError(
      `The text is no YAML: ${(error as Error).message.split('\n')[0]}.`,
      'Look at its indentation.',
    );
  }
  throw new InvalidDataError('The text names nothing.', begin);
}
