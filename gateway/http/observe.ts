/** One log line and one measurement per request; the request id goes into log, answer and problem. */
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Base } from '../services.ts';
import { traced, traceId } from '../tracing.ts';
import type { Env } from './api.ts';

/** Too many and too alike to log each one: assets, probes and the readings of pushing meters. */
const QUIET = /^\/(static\/|healthz|readyz|metrics|stream|api\/v1\/readings)/;
const ID = /^[A-Za-z0-9._-]{8,64}$/;

/** Fields: request_id, tenant_id, route, method, status, latency_ms. A caller's own x-request-id is kept. */
export function observeRequests({ log, metrics }: Pick<Base, 'log' | 'metrics'>): MiddlewareHandler<Env> {
  return async (c, next) => {
    const given = c.req.header('x-request-id');
    const request_id = given && ID.test(given) ? given : crypto.randomUUID();
    c.set('request_id', request_id);
    c.set('actor', null);
    c.set('session', null);
    const begun = performance.now();
    let trace_id: string | undefined;
    const kind = { 'http.request.method': c.req.method };
    await traced('http', kind, async (span) => {
      trace_id = span.isRecording() ? traceId() : undefined;
      await next();
      span.setAttribute('http.response.status_code', c.res.status);
    });
    const latency_ms = performance.now() - begun;
    // Middleware matches with a wildcard; what answered is the last that does not.
    const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'unmatched';
    const status = c.res.status;
    c.res.headers.set('x-request-id', request_id);
    metrics.route_s.observe({ method: c.req.method, route, status: String(status) }, latency_ms / 1000);
    const line = {
      request_id,
      tenant_id: c.get('actor')?.tenant ?? null,
      method: c.req.method,
      route,
      status,
      latency_ms: Math.round(latency_ms * 10) / 10,
      ...(trace_id === undefined ? {} : { trace_id }),
    };
    if (status >= 500) log.error(line, 'request');
    else if (status < 400 && QUIET.test(c.req.path)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}
