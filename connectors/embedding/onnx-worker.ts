/** The thread of the embedding model in process. A question goes before the passages that are being embedded. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError, type UnavailableError } from '../../engine/errors.ts';
import type { EmbeddedAs } from '../../engine/ports.ts';
import { type OnnxOptions, openOnnxModel } from './onnx-model.ts';

export type ToModel = { id: number; texts: readonly string[]; as: EmbeddedAs } | { id: number; cancel: true };
export type FromModel =
  | { opened: string }
  | { id: number; vectors: Float32Array[] }
  | { id: number; fault: ModelFault }
  | { id: null; fault: ModelFault };
export type ModelFault = { config: boolean; message: string; remedy: string | undefined };

type Order = Extract<ToModel, { as: EmbeddedAs }>;

const port = parentPort;
if (!port) throw new Error('this file is a worker');
const tell = (told: FromModel, moved: ArrayBuffer[] = []) => port.postMessage(told, moved);
const turn = () => new Promise<void>((next) => setImmediate(next));
const faultOf = (error: unknown) => {
  const { message, remedy } = error as UnavailableError;
  return { config: error instanceof ConfigError, message, remedy };
};

const waiting: Order[] = [];
const cancelled = new Set<number>();

try {
  const model = await openOnnxModel(workerData as OnnxOptions);
  port.on('message', (told: ToModel) => {
    if ('cancel' in told) return void cancelled.add(told.id);
    waiting.push(told);
    void work();
  });
  tell({ opened: model.identity });

  let working = false;
  async function work(): Promise<void> {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) await embed(next);
    working = false;
  }

  async function embed({ id, texts, as }: Order): Promise<void> {
    try {
      const vectors = await model.embed(texts, as, async () => {
        await turn();
        if (as === 'document') await answerQuestions();
        return cancelled.has(id);
      });
      if (!cancelled.delete(id)) tell({ id, vectors });
    } catch (error) {
      tell({ id, fault: faultOf(error) });
    }
  }

  /** Those that came while passages are being embedded. */
  async function answerQuestions(): Promise<void> {
    for (;;) {
      const at = waiting.findIndex(({ as }) => as === 'query');
      const [question] = at === -1 ? [] : waiting.splice(at, 1);
      if (!question) return;
      await embed(question);
    }
  }
} catch (error) {
  tell({ id: null, fault: faultOf(error) });
}
