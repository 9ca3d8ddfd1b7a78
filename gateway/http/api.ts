/** What every API resource shares: the app with problem+json errors, the role guard, common schemas. */
import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import {
  ConfigError,
  type Fault,
  InvalidDataError,
  NotAllowedError,
  NotFoundError,
  TooLargeError,
  TooManyTriesError,
  UnavailableError,
  UnsupportedError,
} from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Actor, Session } from '../services.ts';

/** Set by the server's middleware before any route runs. `actor` is null for nobody. */
export type Env = {
  Variables: {
    actor: Actor | null;
    session: Session | null;
    request_id: string;
    client: string;
    /** Asks again who this is, for answers that last: null once the session, key or token is gone. */
    actor_now?: () => Promise<Actor | null>;
  };
};

export const ProblemSchema = z
  .object({
    type: z.string().openapi({ example: 'about:blank' }),
    title: z.string().openapi({ example: 'Bad Request' }),
    status: z.number().int().openapi({ example: 400 }),
    detail: z.string().openapi({ example: 'readings[3].at is no ISO 8601 time. Give e.g. 2026-03-29T01:00:00Z.' }),
    faults: z.array(z.object({ where: z.string(), problem: z.string() })).optional(),
    request_id: z.string().optional(),
  })
  .openapi('Problem');

const problemContent = { 'application/problem+json': { schema: ProblemSchema } };
const COMMON_ERRORS = {
  400: { description: 'The request is malformed; `detail` says what to change.', content: problemContent },
  401: { description: 'Nobody is signed in and no valid key or token came along.', content: problemContent },
  403: { description: 'The role does not allow this.', content: problemContent },
  429: { description: 'Too many requests; `Retry-After` says when to come back.', content: problemContent },
  503: {
    description: 'A part of the box does not answer now; `Retry-After` says when to try again.',
    content: problemContent,
  },
};

/**
 * A route with its role, documented errors and security. `role: null` is open to everybody. The document names the
 * least role beside each way to sign in, as OpenAPI 3.1 has it for schemes other than OAuth.
 * Request and response come from the schemas.
 */
export function apiRoute<const P extends string, const R extends Omit<RouteConfig, 'path'> & { path: P }>(
  role: Role | null,
  config: R,
) {
  const security: Record<string, string[]>[] = role === null ? [] : [{ bearer: [role] }, { session: [role] }];
  const middleware: MiddlewareHandler<Env>[] = role === null ? [] : [requireRole(role)];
  // The common errors come from requireRole and the error handler, so that handlers need not return them by type.
  const responses = { ...COMMON_ERRORS, ...config.responses } as R['responses'];
  return createRoute({ ...config, security, middleware, responses } as R);
}

/** An app whose schema failures become problem+json with every fault. */
export function createApiApp(): OpenAPIHono<Env> {
  return new OpenAPIHono<Env>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const faults = result.error.issues.map((issue) => ({ where: issue.path.join('.'), problem: issue.message }));
      return problem(
        c,
        400,
        `The request has ${faults.length === 1 ? 'a fault' : 'faults'}: ${faults.map((f) => `${f.where || 'body'}: ${f.problem}`).join('; ')}`,
        faults,
      );
    },
  });
}

const RANK: Record<Role, number> = { user: 0, analyst: 1, admin: 2 };

/** Whether `actor` has `role` or more. */
export function hasRole(actor: Actor, role: Role): boolean {
  return RANK[actor.role] >= RANK[role];
}

/** Refuses who is not signed in (401) or has less than `role` (403). */
export function requireRole(role: Role): MiddlewareHandler<Env> {
  return async (c, next) => {
    const actor = c.get('actor');
    if (!actor) return problem(c, 401, 'Sign in, or send an API key as `Authorization: Bearer …`.');
    if (!hasRole(actor, role))
      return problem(c, 403, `This needs the role ${role}; yours is ${actor.role}. Ask an admin of the box.`);
    return next();
  };
}

/** The actor of a route behind requireRole. */
export function actorOf(c: Context<Env>): Actor {
  const actor = c.get('actor');
  if (!actor) throw new NotAllowedError('Nobody is signed in.', 'Sign in first.');
  return actor;
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** When to come back after a refusal that did not say it itself. */
const RETRY_AFTER_S: Readonly<Record<number, number>> = { 429: 60, 503: 5 };

/** A problem+json answer (RFC 9457). */
export function problem(
  c: Context<Env>,
  status: number,
  detail: string,
  faults?: readonly Fault[],
  retry_after_s: number | undefined = RETRY_AFTER_S[status],
): Response {
  const body = {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    ...(faults?.length ? { faults } : {}),
    request_id: c.get('request_id'),
  };
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (retry_after_s !== undefined) headers['retry-after'] = String(retry_after_s);
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  return new Response(JSON.stringify(body), { status, headers });
}

/** HTTP status and sentence of an error; anything unknown is a 500 whose cause is only logged. */
export function describeError(error: unknown): {
  status: number;
  detail: string;
  faults: readonly Fault[];
  retry_after_s?: number;
} {
  const known: [new (...args: never[]) => Error, number][] = [
    [TooLargeError, 413],
    [InvalidDataError, 400],
    [ConfigError, 400],
    [TooManyTriesError, 429],
    [NotAllowedError, 403],
    [NotFoundError, 404],
    [UnsupportedError, 501],
    [UnavailableError, 503],
  ];
  for (const [type, status] of known)
    if (error instanceof type) {
      const { message, remedy, faults } = error as InvalidDataError;
      const { retry_after_s } = error as TooManyTriesError;
      const told = { status, detail: remedy ? `${message} ${remedy}` : message, faults: faults ?? [] };
      return retry_after_s === undefined ? told : { ...told, retry_after_s };
    }
  if (error instanceof HTTPException && error.status < 500) return refusedByHono(error);
  return {
    status: 500,
    detail: 'Something went wrong on our side; nothing was changed. The log has it under this request_id.',
    faults: [],
  };
}

/** A body that is not what its content-type says, found before any schema is asked. */
function refusedByHono({ status, message }: HTTPException): { status: number; detail: string; faults: Fault[] } {
  const detail = /JSON/.test(message)
    ? 'The body is no valid JSON. Check its brackets and quotes, and that nothing was cut off.'
    : `${message.replace(/\.$/, '') || 'The request is malformed'}. Check the body and its content-type.`;
  return { status, detail, faults: [] };
}

/** ISO 8601 or epoch milliseconds at the edge → epoch milliseconds inside. */
export const InstantSchema = z
  .string()
  .transform((text, context) => {
    const at_ms = /^-?\d{11,14}$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isFinite(at_ms)) return at_ms;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no time; give ISO 8601 with zone (2026-03-29T01:00:00Z) or epoch milliseconds.`,
    });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: '2026-03-29T01:00:00Z' });

/** The content of a request or an answer in JSON. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

/** Epoch milliseconds → ISO 8601. */
export function iso(at_ms: number): string {
  return new Date(at_ms).toISOString();
}
