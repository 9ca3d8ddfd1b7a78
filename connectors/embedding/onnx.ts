/**
 * A sentence-transformers folder with an ONNX file, run in process: semantic search without any server. `onnxruntime-node`
 * is optional; where it is missing, this says so. It computes in a thread of its own.
 */
import { Worker } from 'node:worker_threads';
import { ConfigError, UnavailableError } from '../../engine/errors.ts';
import type { Embedder } from '../../engine/ports.ts';
import type { OnnxOptions } from './onnx-model.ts';
import type { FromModel, ModelFault, ToModel } from './onnx-worker.ts';

type Waiting = { resolve(vectors: Float32Array[]): void; reject(error: Error): void };
type Thread = { worker: Worker; identity: string; waiting: Map<number, Waiting> };

/** @throws ConfigError for a folder without model or tokenizer, or without the runtime */
export async function openOnnxEmbedder(options: OnnxOptions): Promise<Embedder> {
  let opened: Promise<Thread> | null = openThread(options, forget);
  let next_id = 0;
  await opened;

  /** One that ended (out of memory, say) is begun again by the next text. */
  async function thread(): Promise<Thread> {
    opened ??= openThread(options, forget);
    return opened;
  }

  function forget(): void {
    opened = null;
  }

  return {
    identity: async () => (await thread()).identity,
    async embed(texts, as, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const { worker, waiting } = await thread();
      const id = next_id;
      next_id += 1;
      const post = (told: ToModel) => worker.postMessage(told);
      return new Promise((resolve, reject) => {
        const cancel = () => {
          if (!waiting.has(id)) return;
          settle(worker, waiting, id);
          post({ id, cancel: true });
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', cancel, { once: true });
        waiting.set(id, { resolve, reject });
        worker.ref();
        post({ id, texts: [...texts], as });
      });
    },
    async close() {
      const made = await opened?.catch(() => null);
      await made?.worker.terminate();
    },
  };
}

/** Whoever waits for vectors keeps the process; the model itself does not. */
function settle(worker: Worker, waiting: Thread['waiting'], id: number): Waiting | undefined {
  const one = waiting.get(id);
  waiting.delete(id);
  if (waiting.size === 0) worker.unref();
  return one;
}

function openThread(options: OnnxOptions, onEnd: () => void): Promise<Thread> {
  const worker = new Worker(new URL('./onnx-worker.ts', import.meta.url), { workerData: options });
  const waiting = new Map<number, Waiting>();
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error);
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
    };
    worker.on('message', (told: FromModel) => {
      if ('opened' in told) {
        worker.unref();
        return resolve({ worker, identity: told.opened, waiting });
      }
      if (told.id === null) {
        reject(errorOf(told.fault));
        return void worker.terminate();
      }
      const one = settle(worker, waiting, told.id);
      if ('fault' in told) one?.reject(errorOf(told.fault));
      else one?.resolve(told.vectors);
    });
    worker.on('error', (error: Error) => fail(ended(error.message)));
    worker.on('exit', () => {
      onEnd();
      fail(ended('its thread ended'));
    });
  });
}

function errorOf({ config, message, remedy }: ModelFault): Error {
  return config ? new ConfigError(message, remedy) : new UnavailableError(message, remedy);
}

function ended(why: string): UnavailableError {
  return new UnavailableError(`The embedding model stopped: ${why}.`, 'It is begun again with the next question.');
}
