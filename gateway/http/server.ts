/** The web application of the box: observation, headers, who asks, API, pages; and the server that listens. */
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { ConfigError, NotFoundError } from '../../engine/errors.ts';
import type { Services } from '../services.ts';
import type { Certificate } from '../tls.ts';
import { createApiApp, describeError, type Env, problem } from './api.ts';
import { createAssets } from './assets.ts';
import { limitBodies } from './body-limit.ts';
import { securityHeaders } from './headers.ts';
import { observeRequests } from './observe.ts';
import { openApiDocument } from './openapi.ts';
import { createApiReferencePages } from './pages/api-reference.ts';
import { mountPages } from './pages/mount.ts';
import { sendError } from './pages/page.ts';
import { mountApi } from './routes.ts';

export type WebOptions = { secure: boolean; version: string; authenticate: MiddlewareHandler<Env> };

/** @returns the app; `app.request(…)` answers without a socket, which is how tests use it. */
export function createWeb(services: Services, { secure, version, authenticate }: WebOptions) {
  const app = createApiApp();
  const assets = createAssets();
  const pages = { services, assets, secure };
  app.use(observeRequests(services));
  app.use(securityHeaders(secure));
  app.route('/', assets.app);
  app.use(limitBodies());
  app.use(authenticate);
  mountApi(app, services);
  const document = openApiDocument(app, version);
  app.get('/api/v1/openapi.json', (c) => c.json(document));
  app.route('/', createApiReferencePages(pages, document));
  mountPages(app, pages, { secure });
  app.notFound((c) => {
    if (wantsPage(c.req.path, c.req.header('accept')))
      return sendError(pages, c, new NotFoundError('There is no such page.'));
    return problem(c, 404, `There is nothing at ${c.req.path}. /api/v1/openapi.json lists what is.`);
  });
  app.onError((error, c) => {
    const { status, detail, faults, retry_after_s } = describeError(error);
    if (status === 500)
      services.log.error(
        { err: error, request_id: c.get('request_id'), path: withoutKey(c.req.path) },
        'a request failed',
      );
    if (wantsPage(c.req.path, c.req.header('accept'))) return sendError(pages, c, error);
    return problem(c, status, detail, faults, retry_after_s);
  });
  return app;
}

/** A key that stands in an address is no business of the log. */
function withoutKey(path: string): string {
  return path.replace(/^\/evcc\/[^/]*/, '/evcc/…');
}

/** Browsers ask for HTML; programs and the API get problem+json. */
function wantsPage(path: string, accept: string | undefined): boolean {
  return !path.startsWith('/api/') && (accept ?? '').includes('text/html');
}

export type WebServer = { port: number; close(): Promise<void> };

/** Listens. Rejects with ConfigError when the address or port cannot be had. */
export async function openWebServer(
  app: { fetch: Parameters<typeof serve>[0]['fetch'] },
  options: { host: string; port: number; certificate: Certificate | null },
): Promise<WebServer> {
  const { host, port, certificate } = options;
  const server: ServerType = await new Promise((done, fail) => {
    const tls = certificate
      ? { createServer: createTlsServer, serverOptions: { cert: certificate.cert, key: certificate.key } }
      : {};
    const made = serve({ fetch: app.fetch, hostname: host, port, ...tls }, () => done(made));
    made.once('error', (error) => fail(cannotListen(error, host, port)));
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const choose = 'choose another one with LUNA_PORT';
  if (error.code === 'EADDRINUSE')
    return new ConfigError(`Port ${port} is taken by another program.`, `End that one, or ${choose}.`, {
      cause: error,
    });
  if (error.code === 'EACCES')
    return new ConfigError(`This user may not listen on port ${port}.`, `Ports below 1024 need rights; ${choose}.`, {
      cause: error,
    });
  if (error.code === 'EADDRNOTAVAIL')
    return new ConfigError(`This machine has no address ${host}.`, 'Set LUNA_HOST to one that it has.', {
      cause: error,
    });
  return error;
}
