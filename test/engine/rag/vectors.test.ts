import { describe, expect, it } from 'vitest';
import { createDotProducts } from '../../../engine/rag/dot-products.ts';
import { toLengthOne } from '../../../engine/rag/length-one.ts';
import { createVectors } from '../../../engine/rag/vectors.ts';
import { createRandom } from '../../../engine/random.ts';

const random = createRandom(7);
const bytes = (length: number) => Int8Array.from({ length }, () => Math.floor(255 * random()) - 127);
const unit = (length: number) => toLengthOne(Float32Array.from({ length }, () => random() - 0.5));

describe('products on the vector unit', () => {
  it('are those of a plain loop, for every number of rows and dimensions', () => {
    for (const dimensions of [1, 15, 16, 17, 384, 768]) {
      const products = createDotProducts(dimensions);
      const rows = Array.from({ length: 40 }, () => bytes(products.width).fill(0, dimensions));
      for (const row of rows) products.push(row);
      const query = bytes(products.width).fill(0, dimensions);
      const found = new Int32Array(rows.length);
      products.with(query, found);
      expect([...found]).toEqual(rows.map((row) => row.reduce((sum, cell, i) => sum + cell * (query[i] ?? 0), 0)));
    }
  });
});

describe('embeddings in 16 bits', () => {
  it('come near the true cosines, by all bits very near, also when they come from a file', () => {
    const vectors = createVectors(100);
    const rows = Array.from({ length: 60 }, () => unit(100));
    for (const [i, row] of rows.entries()) vectors.push(i === 7 ? null : row);
    const query = unit(100);
    const truth = rows.map((row) => row.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0));
    for (const held of [vectors, createVectors(100, vectors.stored())]) {
      const near = held.nearness(query);
      for (const [i, cosine] of truth.entries()) {
        if (i === 7) continue;
        expect(Math.abs((near[i] ?? 0) - cosine)).toBeLessThan(0.02);
        expect(Math.abs((held.exact(query, i) ?? 0) - cosine)).toBeLessThan(0.0002);
      }
      expect(held.exact(query, 7)).toBeNull();
    }
  });
});
