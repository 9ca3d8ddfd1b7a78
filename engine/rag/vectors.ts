/**
 * Embeddings of passages in 16 bits a dimension: the upper 8 are multiplied with a question's to find the nearest
 * passages, the lower 8 join in for those that come near (scalar quantisation with rescoring). Vectors have length 1.
 */
import { InvalidDataError } from '../errors.ts';
import { createDotProducts, type DotProducts } from './dot-products.ts';
import { createColumn, createPages, type Pages } from './pages.ts';

export type Vectors = {
  readonly dimensions: number;
  readonly rows: number;
  /** null: a passage without one. @throws InvalidDataError for another number of dimensions */
  push(vector: Float32Array | null): void;
  /** Cosines with every row by the upper bits, 0 for those without a vector; valid until the next call. */
  nearness(query: Float32Array): Float32Array;
  /** Cosine with one row by all bits; null where it has no vector. */
  exact(query: Float32Array, row: number): number | null;
  vectorAt(row: number): Float32Array | null;
  stored(): StoredVectors;
};
export type StoredVectors = {
  dimensions: number;
  upper: Int8Array;
  lower: Int8Array[];
  /** Addresses in `lower`, and scales as the bits of 32-bit floats, per row. */
  places: Int32Array;
  scales: Int32Array;
};

const PAGE_ROWS = 1024;
/** Largest magnitude in 16 bits whose upper part, rounded, fits into 8. */
const LARGEST = 127 * 256;

export function createVectors(dimensions: number, stored?: StoredVectors): Vectors {
  const products: DotProducts = createDotProducts(dimensions, stored?.upper);
  const { width } = products;
  const lower: Pages<Int8Array> = createPages(Int8Array, PAGE_ROWS * width, stored?.lower);
  const places = createColumn(stored?.places);
  const scales = createColumn(stored?.scales);
  let dots = new Int32Array(0);
  let cosines = new Float32Array(0);

  /** The bits of the row. */
  function rowOf(row: number): { upper: Int8Array; rest: Int8Array; scale: number } {
    const upper = products.all().subarray(row * width, (row + 1) * width);
    return { upper, rest: lower.at(places.get(row), width), scale: floatOf(scales.get(row)) };
  }

  return {
    dimensions,
    get rows() {
      return products.rows;
    },
    push(vector) {
      if (vector && vector.length !== dimensions)
        throw new InvalidDataError(
          `A vector has ${vector.length} dimensions where the others have ${dimensions}.`,
          'The embedding model was changed: index the documents anew.',
        );
      const { upper, rest, scale } = quantised(vector, width);
      const place = lower.reserve(width);
      lower.at(place, width).set(rest);
      places.push(place);
      scales.push(bitsOf(scale));
      products.push(upper);
    },
    nearness(query) {
      const { rows } = products;
      if (dots.length < rows) [dots, cosines] = [new Int32Array(2 * rows), new Float32Array(2 * rows)];
      const { upper, scale } = quantised(query, width);
      products.with(upper, dots);
      const { buffer, byteOffset, length } = scales.view();
      const own = new Float32Array(buffer, byteOffset, length);
      for (let row = 0; row < rows; row += 1) cosines[row] = (dots[row] ?? 0) * (own[row] ?? 0) * scale * 65_536;
      return cosines.subarray(0, rows);
    },
    exact(query, row) {
      const { upper, rest, scale } = rowOf(row);
      if (scale === 0) return null;
      let sum = 0;
      for (let i = 0; i < dimensions; i += 1) sum += (query[i] ?? 0) * ((upper[i] ?? 0) * 256 + (rest[i] ?? 0));
      return sum * scale;
    },
    vectorAt(row) {
      const { upper, rest, scale } = rowOf(row);
      if (scale === 0) return null;
      return Float32Array.from({ length: dimensions }, (_, i) => ((upper[i] ?? 0) * 256 + (rest[i] ?? 0)) * scale);
    },
    stored: () => ({
      dimensions,
      upper: products.all(),
      lower: lower.used(),
      places: places.view(),
      scales: scales.view(),
    }),
  };
}

const FLOAT = new Float32Array(1);
const BITS = new Int32Array(FLOAT.buffer);

function bitsOf(value: number): number {
  FLOAT[0] = value;
  return BITS[0] ?? 0;
}

function floatOf(bits: number): number {
  BITS[0] = bits;
  return FLOAT[0] ?? 0;
}

/** value ≈ (upper × 256 + rest) × scale; scale 0 for no vector. */
function quantised(vector: Float32Array | null, width: number): { upper: Int8Array; rest: Int8Array; scale: number } {
  const [upper, rest] = [new Int8Array(width), new Int8Array(width)];
  const largest = vector ? vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 0;
  if (!vector || largest === 0 || !Number.isFinite(largest)) return { upper, rest, scale: 0 };
  const scale = largest / LARGEST;
  for (const [i, value] of vector.entries()) {
    const whole = Math.round(value / scale);
    upper[i] = Math.round(whole / 256);
    // From -128 to 127: a half is rounded up.
    rest[i] = whole - (upper[i] ?? 0) * 256;
  }
  return { upper, rest, scale };
}
