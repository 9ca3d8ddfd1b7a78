/**
 * A sentence-transformers folder with an ONNX file: tokens in, vectors out. The runtime computes on the thread that asks
 * it, so this belongs into a worker (onnx-worker.ts). Token vectors are mean pooled with the mask, and brought to length 1.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ConfigError, UnavailableError } from '../../engine/errors.ts';
import type { EmbeddedAs } from '../../engine/ports.ts';
import { toLengthOne } from '../../engine/rag/length-one.ts';

export type OnnxOptions = {
  /** Holds `tokenizer.json`, and `model.onnx` or `onnx/model.onnx`. */
  dir: string;
  /** Put before each text, where the model wants it; left out: as `config_sentence_transformers.json` says. */
  prefixes?: Record<EmbeddedAs, string>;
  threads?: number;
};

const LONGEST = 256;
/** Texts of about the same length go together, so that little is padded; a question waits for one such batch at most. */
const MOST_TOKENS = 1024;
const MOST_TEXTS = 32;
const MODEL_FILES = ['model.onnx', 'onnx/model.onnx', 'model_quantized.onnx', 'onnx/model_quantized.onnx'];

type Ort = typeof import('onnxruntime-node');
type Encoded = { place: number; ids: number[] };
type Setup = { tokenizer: Tokenizer; longest: number; end: number | null; prefixes: Record<EmbeddedAs, string> };

export type OnnxModel = {
  identity: string;
  /** @param stop asked between two batches; true: nobody waits any more, and what is there comes back */
  embed(texts: readonly string[], as: EmbeddedAs, stop: () => Promise<boolean>): Promise<Float32Array[]>;
};

/** @throws ConfigError for a folder without model or tokenizer, or without the runtime */
export async function openOnnxModel(options: OnnxOptions): Promise<OnnxModel> {
  const file = MODEL_FILES.map((name) => join(options.dir, name)).find((path) => existsSync(path));
  if (!file || !existsSync(join(options.dir, 'tokenizer.json')))
    throw new ConfigError(
      `${options.dir} holds no tokenizer.json with a model.onnx.`,
      'Put a sentence-transformers folder with its ONNX export there.',
    );
  const ort = await loadRuntime();
  const setup = await readSetup(options).catch((error: Error) => {
    throw new ConfigError(
      `The tokenizer of ${options.dir} cannot be read: ${error.message}`,
      'Copy tokenizer.json and the config files of the model there again.',
      { cause: error },
    );
  });
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: options.threads ?? 2,
    logSeverityLevel: 3,
  }).catch((error: Error) => {
    throw new ConfigError(`The model ${file} cannot be opened: ${error.message}`, 'Export it anew.', { cause: error });
  });
  const digest = (await digestOf(file)).slice(0, 16);

  async function run(batch: readonly Encoded[], vectors: Float32Array[]): Promise<void> {
    const length = Math.max(...batch.map(({ ids }) => ids.length));
    const shape = [batch.length, length];
    const ids = new BigInt64Array(batch.length * length);
    const mask = new BigInt64Array(batch.length * length);
    batch.forEach((one, row) => {
      one.ids.forEach((id, at) => {
        ids[row * length + at] = BigInt(id);
        mask[row * length + at] = 1n;
      });
    });
    const tensor = (cells: BigInt64Array) => new ort.Tensor('int64', cells, shape);
    const given: Record<string, InstanceType<Ort['Tensor']>> = {
      input_ids: tensor(ids),
      attention_mask: tensor(mask),
      token_type_ids: tensor(new BigInt64Array(ids.length)),
    };
    const feeds = Object.fromEntries(session.inputNames.flatMap((name) => (given[name] ? [[name, given[name]]] : [])));
    const output = await session.run(feeds);
    const [name = ''] = pooledFirst(session.outputNames);
    const found = output[name];
    if (!found) throw new UnavailableError('The embedding model gave nothing.', 'Check its ONNX export.');
    const cells = found.data as Float32Array;
    for (const [row, one] of batch.entries())
      vectors[one.place] = toLengthOne(
        found.dims.length === 2 ? rowOf(cells, row, batch.length) : pooled(cells, row, one.ids.length, found.dims),
      );
  }

  return {
    identity: `onnx ${digest} ${JSON.stringify([setup.longest, setup.prefixes])}`,
    async embed(texts, as, stop) {
      const encoded = texts.map((text, place) => ({ place, ids: encode(setup, setup.prefixes[as] + text) }));
      encoded.sort((a, b) => a.ids.length - b.ids.length);
      const vectors: Float32Array[] = new Array(texts.length);
      for (let at = 0; at < encoded.length && !(await stop()); ) {
        const batch = batchFrom(encoded, at);
        await run(batch, vectors);
        at += batch.length;
      }
      return vectors;
    },
  };
}

async function loadRuntime(): Promise<Ort> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new ConfigError(
      'onnxruntime-node is not installed, which runs embedding models in process.',
      'Install it with npm, or use a model of Ollama.',
      { cause },
    );
  }
}

async function readSetup({ dir, prefixes }: OnnxOptions): Promise<Setup> {
  const json = async (name: string) =>
    JSON.parse(await readFile(join(dir, name), 'utf8').catch(() => '{}')) as Record<string, unknown>;
  const stored = await json('tokenizer.json');
  // What the file says of padding and cutting is for training; cut texts keep their last token here.
  const tokenizer = new Tokenizer({ ...stored, truncation: null, padding: null }, await json('tokenizer_config.json'));
  const { max_seq_length } = (await json('sentence_bert_config.json')) as { max_seq_length?: number };
  const { prompts } = (await json('config_sentence_transformers.json')) as { prompts?: Record<string, string> };
  const own = { document: prompts?.document ?? prompts?.passage ?? '', query: prompts?.query ?? '' };
  const sample = tokenizer.encode('a').ids;
  return {
    tokenizer,
    longest: max_seq_length ?? LONGEST,
    end: sample.length > 1 ? (sample.at(-1) ?? null) : null,
    prefixes: prefixes ?? own,
  };
}

function encode({ tokenizer, longest, end }: Setup, text: string): number[] {
  const { ids } = tokenizer.encode(text);
  if (ids.length <= longest) return ids;
  return end === null ? ids.slice(0, longest) : [...ids.slice(0, longest - 1), end];
}

function batchFrom(encoded: readonly Encoded[], from: number): Encoded[] {
  let to = from + 1;
  while (
    to < encoded.length &&
    to - from < MOST_TEXTS &&
    (encoded[to]?.ids.length ?? 0) * (to - from + 1) <= MOST_TOKENS
  )
    to += 1;
  return encoded.slice(from, to);
}

/** Exports that pool by themselves name it so. */
function pooledFirst(names: readonly string[]): string[] {
  const rank = (name: string) => (/^(?:sentence_)?embedding$/.test(name) ? 0 : /last_hidden|token/.test(name) ? 1 : 2);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

function rowOf(cells: Float32Array, row: number, rows: number): Float32Array {
  const width = cells.length / rows;
  return cells.slice(row * width, (row + 1) * width);
}

function pooled(
  cells: Float32Array,
  row: number,
  tokens: number,
  [, length = 1, width = 1]: readonly number[],
): Float32Array {
  const sum = new Float32Array(width);
  for (let token = 0; token < tokens; token += 1)
    for (let i = 0; i < width; i += 1) sum[i] = (sum[i] ?? 0) + (cells[(row * length + token) * width + i] ?? 0);
  return sum;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
