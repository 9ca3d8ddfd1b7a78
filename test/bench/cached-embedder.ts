/** An embedding model whose vectors are kept on disk, so that a bench computes them once. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOnnxEmbedder } from '../../connectors/embedding/onnx.ts';
import type { EmbeddedAs, Embedder } from '../../engine/ports.ts';

const BATCH = 256;
const TELL_EVERY = 1024;

/** @param name `onnx:DIR` */
export async function cachedEmbedder(
  name: string,
  folder = join(tmpdir(), 'luna-bench-vectors'),
  progress: (line: string) => void = () => {},
): Promise<Embedder> {
  if (!name.startsWith('onnx:')) throw new Error(`"${name}" is no embedder: give onnx:DIR`);
  const model = await openOnnxEmbedder({ dir: name.slice(5) });
  const identity = await model.identity();
  mkdirSync(folder, { recursive: true });
  const known = new Map<string, Float32Array>();
  const keyOf = (text: string, as: EmbeddedAs) => `${as} ${text}`;

  async function compute(texts: readonly string[], as: EmbeddedAs): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += BATCH) {
      vectors.push(...(await model.embed(texts.slice(at, at + BATCH), as)));
      if (at % TELL_EVERY === 0) progress(`${vectors.length} of ${texts.length} texts embedded`);
    }
    return vectors;
  }

  return {
    identity: () => model.identity(),
    close: () => model.close(),
    async embed(texts, as) {
      const all = texts.map((text) => known.get(keyOf(text, as)));
      if (all.every((one) => one !== undefined)) return all;
      const digest = createHash('sha256')
        .update(JSON.stringify([identity, as, texts]))
        .digest('hex');
      const file = join(folder, `${digest}.f32`);
      const vectors =
        texts.length > 1
          ? (readVectors(file, texts.length) ?? (await compute(texts, as)))
          : await model.embed(texts, as);
      if (texts.length > 1) writeVectors(file, vectors);
      texts.forEach((text, i) => {
        const vector = vectors[i];
        if (vector) known.set(keyOf(text, as), vector);
      });
      return vectors;
    },
  };
}

function readVectors(file: string, count: number): Float32Array[] | null {
  try {
    const bytes = readFileSync(file);
    const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const width = all.length / count;
    return Number.isInteger(width)
      ? Array.from({ length: count }, (_, i) => all.slice(i * width, (i + 1) * width))
      : null;
  } catch {
    return null;
  }
}

function writeVectors(file: string, vectors: readonly Float32Array[]): void {
  writeFileSync(`${file}.draft`, Buffer.concat(vectors.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer))));
  renameSync(`${file}.draft`, file);
}
