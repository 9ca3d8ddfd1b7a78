/**
 * Paths into JSON: `a.b[0].c`; a key with dots or colons in it in quotes: `params."em:0".act_power`; the first entry of
 * a list whose key has a value: `external[type=gas_meter].value`.
 */
import { ConfigError } from '../../../engine/errors.ts';

type Selector = { key: string; value: string };
export type JsonPath = readonly (string | number | Selector)[];

const STEP = /(?:^|(?<!^)\.)(?:"([^"]+)"|([^."[\]]+))|\[(\d+)\]|\[(\w+)=([^\]]+)\]/y;

/** @throws ConfigError where the path cannot be read. */
export function parsePath(text: string): JsonPath {
  const steps: (string | number | Selector)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(text);
    if (!match) throw new ConfigError(`"${text}" is no JSON path (at "${text.slice(at)}").`, 'Write e.g. a.b[0].c.');
    const [, quoted, plain, index, key, value] = match;
    if (key !== undefined) steps.push({ key, value: value ?? '' });
    else steps.push(index === undefined ? (quoted ?? plain ?? '') : Number(index));
  }
  return steps;
}

/** @returns what stands at `path`, or undefined. Never follows prototypes. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof step === 'object') value = selected(value, step);
    else value = own(value, step);
    if (value === undefined) return undefined;
  }
  return value;
}

function own(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string | number, unknown>)[step];
}

function selected(list: unknown, { key, value }: Selector): unknown {
  return Array.isArray(list) ? list.find((entry) => String(own(entry, key)) === value) : undefined;
}
