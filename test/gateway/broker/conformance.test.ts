import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import { BEHAVIOURS, failures, type Reach } from './conformance.ts';
import { openRig, PASSWORD, type Rig } from './rig.ts';

let rig: Rig;
let other: Rig;
/** A program that may use any topic but one. */
const wide: TopicDecoder = {
  mayPublish: () => true,
  maySubscribe: (filter) => filter !== 'test/nosubscribe',
  subscriptions: () => [],
  decode: () => ({ readings: [] }),
};
const tcp = () => connect(rig.broker.port, '127.0.0.1');
const tls = () => connectTls({ port: rig.broker.tls_port!, host: '127.0.0.1', rejectUnauthorized: false });
const own = { password: PASSWORD, foreign: 'test/nosubscribe' };
const WAYS: Record<string, Reach> = {
  'a meter over TCP': { ...own, username: 'a', base: 'meters/a/', dial: tcp },
  'a meter over TLS': { ...own, username: 'b', base: 'meters/b/', dial: tls },
  'a program with any topic': { ...own, username: 'a', base: '', dial: () => connect(other.broker.port, '127.0.0.1') },
};
/** All ways at the same time: the suite mostly waits. */
const failed = new Map<string, string[]>();

beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' });
  rig = await openRig({ tls: { cert: made.cert, key: made.private } });
  other = await openRig({ decoders: { a: wide } });
  await Promise.all(Object.entries(WAYS).map(async ([way, reach]) => failed.set(way, await failures(reach))));
});
afterAll(async () => {
  await rig.close();
  await other.close();
});

describe('MQTT 3.1.1 as the Paho interoperability tests want it', () => {
  it('has eleven behaviours', () => {
    expect(BEHAVIOURS).toHaveLength(11);
  });

  it.each(Object.keys(WAYS))('all eleven for %s', (way) => {
    expect(failed.get(way)).toEqual([]);
  });
});
