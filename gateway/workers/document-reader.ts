/** Reads documents in a process of its own, so that a long PDF or a malicious one holds up nothing else. */
import { createBounded } from './bounded.ts';
import type { ReadInput, ReadOutput, ReadStep } from './read-document.ts';

export type DocumentReader = {
  /** @throws InvalidDataError with the reason why the file cannot be read; UnavailableError when `signal` ended it. */
  read(
    file: { bytes: Uint8Array; format: ReadInput['format'] },
    options?: { signal?: AbortSignal; onPage?: (done: number, total: number) => void; onStructure?: () => void },
  ): Promise<ReadOutput>;
  close(): Promise<void>;
};

export type ReaderLimits = {
  timeout_ms: number;
  /** For one page; a text has one. */
  page_ms: number;
  memory_MB: number;
  pages: number;
  characters: number;
};
const LIMITS: ReaderLimits = {
  timeout_ms: 240_000,
  page_ms: 9000,
  memory_MB: 105,
  pages: 2000,
  characters: 30_000_000,
};
/** Pages are kept until the whole is cut into passages. */
const PAGE_MB = 0.4;

export function createDocumentReader(options: Partial<ReaderLimits> = {}): DocumentReader {
  const { timeout_ms, page_ms, memory_MB, ...limits } = { ...LIMITS, ...options };
  const bounded = createBounded<ReadInput, ReadStep>({
    ...{ task: 'read-document', timeout_ms, stall_ms: page_ms, memory_MB, memory_per_item_MB: PAGE_MB },
    remedy: 'Split it into parts, or print it to a new PDF, and upload that.',
  });
  return {
    async read({ bytes, format }, { signal, onPage, onStructure } = {}) {
      let output: ReadOutput | undefined;
      for await (const step of bounded.run({ bytes, format, limits }, signal ? { signal } : {}))
        if ('output' in step) output = step.output;
        else if ('structure' in step) onStructure?.();
        else onPage?.(step.done, step.total);
      if (!output) throw new Error('the process that reads ended without a result');
      return output;
    },
    close: () => bounded.close(),
  };
}
