/** Finds the line of a YAML file at which a key or value stands. */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';

export type SourceLines = {
  /** What the file holds, or null where it is no YAML. */
  value: unknown;
  /** Syntax errors with their line. */
  errors: { line: number; message: string }[];
  /** Line of the value at `path` (of the nearest parent where it is missing). */
  lineOf(path: readonly PropertyKey[]): number;
  /** Line of the key `key` in the map at `path`. */
  lineOfKey(path: readonly PropertyKey[], key: string): number;
};

export function readSourceLines(text: string): SourceLines {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const offset = offsetOf(document, path.slice(0, length));
      if (offset !== undefined) return lineAt(offset);
    }
    return 1;
  };
  const errors = document.errors.map((error) => ({
    line: error.linePos?.[0].line ?? 1,
    message: error.message.split('\n')[0]!.replace(/ at line .*$/, ''),
  }));
  let value: unknown = null;
  try {
    if (errors.length === 0) value = document.toJS();
  } catch (error) {
    // aliases that refer to nothing, or that would grow beyond all memory
    errors.push({ line: 1, message: (error as Error).message });
  }
  return {
    value,
    errors,
    lineOf,
    lineOfKey(path, key) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true);
      const pair = isMap(map)
        ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      return offset === undefined ? lineOf(path) : lineAt(offset);
    },
  };
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const node = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
