/** A real sentence-transformers folder with ONNX, where LUNA_TEST_EMBEDDING names one; otherwise what is wrong with folders. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openOnnxEmbedder } from '../../../connectors/embedding/onnx.ts';
import { ConfigError } from '../../../engine/errors.ts';
import { embedderContract } from '../../contracts/embedder.ts';

const dir = process.env.LUNA_TEST_EMBEDDING;

describe('embeddings in process', () => {
  it('say what a folder lacks, and that a model cannot be opened', async () => {
    await expect(openOnnxEmbedder({ dir: '/nowhere' })).rejects.toThrow(/holds no tokenizer.json with a model.onnx/);
    const broken = await mkdtemp(join(tmpdir(), 'luna-onnx-'));
    try {
      await writeFile(join(broken, 'model.onnx'), 'no model');
      await expect(openOnnxEmbedder({ dir: broken })).rejects.toThrow(ConfigError);
      await writeFile(join(broken, 'tokenizer.json'), '{"nothing": 1}');
      await expect(openOnnxEmbedder({ dir: broken })).rejects.toThrow(ConfigError);
      await writeFile(join(broken, 'tokenizer.json'), 'no JSON');
      await expect(openOnnxEmbedder({ dir: broken })).rejects.toThrow(ConfigError);
    } finally {
      await rm(broken, { recursive: true });
    }
  });
});

describe.skipIf(!dir)('a real model in process', () => {
  it('computes beside the thread that answers people, and a question goes before passages', async () => {
    const embedder = await openOnnxEmbedder({ dir: dir ?? '' });
    const ended: string[] = [];
    let [turns, over] = [0, false];
    const count = () => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    count();
    const text = 'The operator of a distribution grid may reduce the power of controllable loads. '.repeat(8);
    const passages = Array.from({ length: 48 }, (_, i) => `${i} ${text}`);
    const documents = embedder.embed(passages, 'document').then(() => ended.push('passages'));
    const question = embedder.embed(['Who may reduce power?'], 'query').then(() => ended.push('question'));
    await Promise.all([documents, question]);
    over = true;
    expect(ended).toEqual(['question', 'passages']);
    expect(turns).toBeGreaterThan(200);
    await embedder.close();
  }, 120_000);

  embedderContract(async () => {
    const embedder = await openOnnxEmbedder({ dir: dir ?? '' });
    return { embedder, close: () => embedder.close() };
  });
});
