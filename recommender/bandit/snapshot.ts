/** The state of a linear policy as text and back, bit for bit: numbers as the base64 of their bytes. */
import { createHash } from 'node:crypto';
import { InvalidDataError } from '../../engine/errors.ts';
import type { LinearModel } from './linear-model.ts';
import type { LinearPolicyState } from './linear-policy.ts';
import type { PolicySnapshot } from './port.ts';

export type StoredModel = {
  scalars: string;
  precision: string;
  inverse: string;
  b: string;
  weights: string;
  prior: { precision: string | null; b: string } | null;
};
type Stored = {
  sites: [string, { learnt: number; models: [string, StoredModel][] }][];
  shared: [string, StoredModel][];
  rewards: string;
  hash: string;
};

export function encodeState(state: LinearPolicyState): string {
  const stored: Stored = {
    sites: [...state.sites].map(([site, { learnt, models }]) => [site, { learnt, models: encodeAll(models) }]),
    shared: encodeAll(state.shared),
    rewards: encode([state.rewards.count, state.rewards.squares]),
    hash: state.hash,
  };
  return seal(stored);
}

/** As text that tells when a byte of it was changed. */
export function seal(stored: unknown): string {
  const text = JSON.stringify(stored);
  return `${checksum(text)} ${text}`;
}

/** @throws InvalidDataError where the snapshot is of another version, or damaged. */
export function unseal(snapshot: PolicySnapshot, version: string): unknown {
  if (snapshot.policy !== version) throw wrong(`it is of ${snapshot.policy}, this is ${version}`);
  const split = snapshot.state.indexOf(' ');
  const text = snapshot.state.slice(split + 1);
  if (checksum(text) !== snapshot.state.slice(0, split)) throw wrong('it is damaged');
  return JSON.parse(text);
}

/** @throws InvalidDataError where the snapshot is of another version, of other dimensions, or damaged. */
export function decodeState(snapshot: PolicySnapshot, version: string, dimensions: number): LinearPolicyState {
  const stored = unseal(snapshot, version) as Stored;
  const [count = 0, squares = 0] = decode(stored.rewards);
  return {
    sites: new Map(
      stored.sites.map(([site, { learnt, models }]) => [site, { learnt, models: decodeAll(models, dimensions) }]),
    ),
    shared: decodeAll(stored.shared, dimensions),
    rewards: { count, squares },
    hash: stored.hash,
  };
}

function encodeAll(models: ReadonlyMap<string, LinearModel>): [string, StoredModel][] {
  return [...models].map(([arm, model]) => [arm, encodeModel(model)]);
}

function decodeAll(models: readonly [string, StoredModel][], dimensions: number): Map<string, LinearModel> {
  return new Map(models.map(([arm, model]) => [arm, decodeModel(model, dimensions)]));
}

export function encodeModel(model: LinearModel): StoredModel {
  const { dimensions: d, ridge, discount, count, residual, since_refactor, prior } = model;
  return {
    scalars: encode([d, ridge, discount, count, residual, since_refactor]),
    precision: encode(lowerOf(model.precision, d)),
    inverse: encode(lowerOf(model.inverse, d)),
    b: encode(model.b),
    weights: encode(model.weights),
    prior: prior && { precision: prior.precision && encode(lowerOf(prior.precision, d)), b: encode(prior.b) },
  };
}

/** @param dimensions what it must have; any where it is left out. */
export function decodeModel(stored: StoredModel, dimensions?: number): LinearModel {
  const [d = 0, ridge = 1, discount = 1, count = 0, residual = 0, since_refactor = 0] = decode(stored.scalars);
  if (dimensions !== undefined && d !== dimensions) throw wrong(`it has ${d} dimensions, the policy ${dimensions}`);
  const { prior } = stored;
  return {
    ...{ dimensions: d, ridge, discount, count, residual, since_refactor },
    precision: fullOf(decode(stored.precision), d),
    inverse: fullOf(decode(stored.inverse), d),
    b: decode(stored.b),
    weights: decode(stored.weights),
    prior: prior && { precision: prior.precision ? fullOf(decode(prior.precision), d) : null, b: decode(prior.b) },
  };
}

/** The matrices are symmetric: half of them says it all. */
function lowerOf(matrix: Float64Array, d: number): Float64Array {
  const half = new Float64Array((d * (d + 1)) / 2);
  for (let i = 0, at = 0; i < d; i++) for (let j = 0; j <= i; j++) half[at++] = matrix[i * d + j]!;
  return half;
}

function fullOf(half: Float64Array, d: number): Float64Array {
  const matrix = new Float64Array(d * d);
  for (let i = 0, at = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      matrix[i * d + j] = half[at]!;
      matrix[j * d + i] = half[at++]!;
    }
  return matrix;
}

/** Little-endian on every machine that Node runs on. */
function encode(values: Float64Array | readonly number[]): string {
  const bytes = Float64Array.from(values);
  return Buffer.from(bytes.buffer).toString('base64');
}

function decode(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float64Array(new Uint8Array(bytes).buffer);
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

function wrong(why: string): InvalidDataError {
  return new InvalidDataError(
    `The stored state of the advice policy cannot be used: ${why}.`,
    'Learn it anew from the log of decisions and rewards.',
  );
}
