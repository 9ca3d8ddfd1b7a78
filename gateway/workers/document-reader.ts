/**
 * One thread of its own for reading documents, so that a long PDF holds up neither forecasts nor plans. It is bounded
 * in time, in heap, and in the buffers outside the heap, where a small file that unpacks to gigabytes would grow.
 */
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { ReadInput, ReadOutcome, ReadOutput } from './read-document.ts';

export type DocumentReader = {
  /**
   * @param bytes are given away: the caller's view is empty afterwards.
   * @throws InvalidDataError with the reason why the file cannot be read; UnavailableError when `signal` ended it.
   */
  read(
    file: { bytes: Uint8Array; format: ReadInput['format'] },
    options?: { signal?: AbortSignal; onPage?: (done: number, total: number) => void },
  ): Promise<ReadOutput>;
  close(): Promise<void>;
};

export type ReaderLimits = { timeout_ms: number; memory_MB: number; pages: number; characters: number };
export const READER_LIMITS: ReaderLimits = { timeout_ms: 240_000, memory_MB: 768, pages: 2000, characters: 30_000_000 };

const WATCH_EVERY_MS = 100;
const SMALLER = 'Split it into parts, or print it to a new PDF, and upload that.';

export function createDocumentReader(limits: Partial<ReaderLimits> = {}): DocumentReader {
  const bounds = { ...READER_LIMITS, ...limits };
  const pool = new Piscina({
    filename: join(import.meta.dirname, 'read-document.ts'),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 10_000,
    resourceLimits: { maxOldGenerationSizeMb: bounds.memory_MB },
  });

  return {
    async read({ bytes, format }, { signal, onPage } = {}) {
      const tooMuch = new AbortController();
      const late = new AbortController();
      const channel = new MessageChannel();
      let timers: NodeJS.Timeout[] = [];
      // Both clocks start with the work, not while it waits for another document.
      const begin = () => {
        if (timers.length > 0) return;
        timers = [
          setTimeout(() => late.abort(), bounds.timeout_ms),
          setInterval(() => void watch(pool, bounds.memory_MB, tooMuch), WATCH_EVERY_MS),
        ];
      };
      channel.port1.on('message', ({ done, total }: { done: number; total: number }) => {
        begin();
        if (total > 0) onPage?.(done, total);
      });
      const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      const { pages, characters } = bounds;
      const input: ReadInput = { bytes: whole, format, limits: { pages, characters }, progress: channel.port2 };
      try {
        const outcome = (await pool.run(input, {
          transferList: [whole.buffer as ArrayBuffer, channel.port2],
          signal: AbortSignal.any([late.signal, tooMuch.signal, ...(signal ? [signal] : [])]),
        })) as ReadOutcome;
        if ('refused' in outcome) throw new InvalidDataError(outcome.refused, outcome.remedy);
        return outcome.output;
      } catch (error) {
        throw translated(error as Error & { code?: string }, { bounds, late, tooMuch, signal });
      } finally {
        for (const timer of timers) clearTimeout(timer);
        channel.port1.close();
      }
    },
    close: () => pool.destroy(),
  };
}

/** Asks the thread what it holds outside its heap; V8 answers between two instructions, however busy it is. */
async function watch(pool: Piscina, memory_MB: number, tooMuch: AbortController): Promise<void> {
  for (const thread of pool.threads) {
    const used = await thread.getHeapStatistics().catch(() => null);
    if (used && used.external_memory + used.malloced_memory > memory_MB * 1e6) tooMuch.abort();
  }
}

type Ended = { bounds: ReaderLimits; late: AbortController; tooMuch: AbortController; signal?: AbortSignal };

function translated(error: Error & { code?: string }, { bounds, late, tooMuch, signal }: Ended): Error {
  if (error instanceof InvalidDataError) return error;
  if (late.signal.aborted)
    return new InvalidDataError(`Reading took longer than ${bounds.timeout_ms / 1000} s and was stopped.`, SMALLER);
  if (tooMuch.signal.aborted || error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new InvalidDataError(`Reading needed more than ${bounds.memory_MB} MB and was stopped.`, SMALLER);
  if (signal?.aborted)
    return new UnavailableError('Reading was interrupted.', 'It goes on when the box has started again.', {
      cause: error,
    });
  return error;
}
