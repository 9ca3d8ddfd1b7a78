/** Under which addresses people and devices reach the box, for examples to copy. */
import type { Context } from 'hono';
import type { Env } from '../../api.ts';
import type { PageDeps } from '../page.ts';

/** The configured address, else the one that the browser used. */
export function baseUrl({ services }: PageDeps, c: Context<Env>): string {
  return (services.config.public_url ?? new URL(c.req.url).origin).replace(/\/+$/, '');
}

export type BrokerAddress = { host: string; port: number; tls: boolean };

/** The embedded broker as devices see it: TLS where it is offered. */
export function brokerAddress(deps: PageDeps, c: Context<Env>): BrokerAddress {
  const { config } = deps.services;
  const host = new URL(baseUrl(deps, c)).hostname;
  if (config.tls !== 'off' && config.mqtts_port !== null) return { host, port: config.mqtts_port, tls: true };
  return { host, port: config.mqtt_port, tls: false };
}
