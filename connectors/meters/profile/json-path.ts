/** Paths into JSON: `a.b[0].c`; a key with dots or colons in it in quotes: `params."em:0".act_power`. */
import { ConfigError } from '../../../engine/errors.ts';

export type JsonPath = readonly (string | number)[];

const STEP = /(?:^|(?<!^)\.)(?:"([^"]+)"|([^."[\]]+))|\[(\d+)\]/y;

/** @throws ConfigError where the path cannot be read. */
export function parsePath(text: string): JsonPath {
  const steps: (string | number)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(text);
    if (!match) throw new ConfigError(`"${text}" is no JSON path (at "${text.slice(at)}").`, 'Write e.g. a.b[0].c.');
    steps.push(match[3] === undefined ? (match[1] ?? match[2] ?? '') : Number(match[3]));
  }
  return steps;
}

/** @returns what stands at `path`, or undefined. Never follows prototypes. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
