/** How much a request may send: little by default, before anybody reads it or asks who sends it. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { TooLargeError } from '../../engine/errors.ts';
import type { Env } from './api.ts';

const MIB = 1024 * 1024;
const DEFAULT_BYTES = MIB;
/** Tables that people keep in one file. */
const LARGER_BYTES: Readonly<Record<string, number>> = {
  '/api/v1/prices/load': 20 * MIB,
  '/api/v1/devices.yaml': 8 * MIB,
};
/** These bring their own limit, with words of their own. */
const OWN = new Set(['/api/v1/readings', '/api/v1/data/load', '/api/v1/documents', '/documents', '/import']);
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Throws TooLargeError (413) for a body above the limit of its path, however its length is told. */
export function limitBodies(): MiddlewareHandler<Env> {
  const usual = limited(DEFAULT_BYTES);
  const larger = new Map(Object.entries(LARGER_BYTES).map(([path, bytes]) => [path, limited(bytes)]));
  return (c, next) =>
    SAFE.has(c.req.method) || OWN.has(c.req.path) ? next() : (larger.get(c.req.path) ?? usual)(c, next);
}

function limited(maxSize: number): MiddlewareHandler<Env> {
  const onError = () => {
    throw new TooLargeError(`The request is larger than ${maxSize / MIB} MiB.`, 'Send less at once.');
  };
  return bodyLimit({ maxSize, onError });
}
