/** Ways to ask a running box: every route it has, with a key, or as a browser with session and CSRF token. */
import { createWeb } from '../../../gateway/http/server.ts';
import type { Services } from '../../../gateway/services.ts';
import type { Box } from '../../setup/box.ts';
import type { Probe } from './probes.ts';

export type Operation = { method: string; path: string; role: string | null };

/** What the OpenAPI document of the box declares; `role` null is open to everybody. */
export async function operations(box: Box): Promise<Operation[]> {
  const document = (await (await fetch(`${box.url}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security?: Record<string, string[]>[] }>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security = [] }]) => ({
      ...{ method: method.toUpperCase(), path },
      role: security.length === 0 ? null : (security[0]?.bearer?.[0] ?? 'none named'),
    })),
  );
}

/** Every route that the server mounts, found in the server itself, as `METHOD /path/{name}`. */
export function mountedRoutes(): string[] {
  const found = webWithoutServices()
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
  return [...new Set(found)];
}

function webWithoutServices() {
  // Routes are declared when they are made; none of them asks a service for that.
  const anything: unknown = new Proxy(() => {}, {
    get: (_target, name) => (name === Symbol.toPrimitive ? () => 0 : anything),
    apply: () => anything,
  });
  return createWeb(anything as Services, {
    ...{ secure: false, version: '0' },
    authenticate: (_c, next) => next(),
  });
}

/** Every page route that the server mounts. */
export function pageRoutes(): { method: string; path: string }[] {
  const app = webWithoutServices();
  const found = new Map<string, { method: string; path: string }>();
  for (const { method, path } of app.routes)
    if (['GET', 'POST'].includes(method) && !/^\/(api\/v1|static|healthz|readyz|metrics|stream)/.test(path))
      found.set(`${method} ${path}`, { method, path });
  return [...found.values()];
}

export function ask(
  box: Box,
  method: string,
  { path, body, type }: Probe,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(`${box.url}${path}`, {
    ...{ method, body: body ?? null, redirect: 'manual' as const },
    headers: { ...headers, ...(type ? { 'content-type': type } : {}) },
  });
}

export type Browser = Awaited<ReturnType<typeof browser>>;

/** Signs in as people do. */
export async function browser(box: Box, login: string, password: string) {
  const signedIn = await fetch(`${box.url}/sign-in`, {
    ...{ method: 'POST', redirect: 'manual' as const },
    body: new URLSearchParams({ login, password }),
  });
  if (signedIn.status !== 303) throw new Error(`${login} cannot sign in: ${signedIn.status} ${await signedIn.text()}`);
  const cookies = signedIn.headers.getSetCookie();
  const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
  const page = await (await fetch(`${box.url}/`, { headers: { cookie } })).text();
  const csrf = /name="_csrf" value="([^"]+)"/.exec(page)?.[1];
  if (!csrf) throw new Error(`the Now page has no CSRF token: ${page.slice(0, 500)}`);
  return {
    cookie,
    cookies,
    csrf,
    ask: (method: string, path: string, fields: Record<string, string> | null = null) =>
      fetch(`${box.url}${path}`, {
        ...{ method, redirect: 'manual' as const, headers: { cookie } },
        body: fields ? new URLSearchParams({ _csrf: csrf, ...fields }) : null,
      }),
    /** What a live stream says within `ms`. */
    async listen(path: string, ms: number): Promise<string> {
      const signal = AbortSignal.timeout(ms);
      let said = '';
      try {
        const answer = await fetch(`${box.url}${path}`, { headers: { cookie }, signal });
        for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) said += chunk;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return said;
    },
  };
}
