/**
 * HEALTHCHECK of the image: whether the box on this machine says that it is ready. Needs nothing but Node, and ends within
 * 8 s. Exit status 0: ready, 1: not.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

const DEADLINE_MS = 8000;

/** @param tls as the box serves; its certificate is not looked at, for it is not made out for this address */
export function isReady(port: number, tls: boolean): Promise<boolean> {
  return new Promise((done) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', timeout: DEADLINE_MS };
    const asked = tls ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
    asked.once('response', (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => done(false));
    asked.once('close', () => done(false));
    asked.end();
  });
}

if (import.meta.main) {
  setTimeout(() => process.exit(1), DEADLINE_MS).unref();
  const { LUNA_PORT = '8080', LUNA_TLS = 'off' } = process.env;
  process.exit((await isReady(Number(LUNA_PORT), LUNA_TLS !== 'off')) ? 0 : 1);
}
