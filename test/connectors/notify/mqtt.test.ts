import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { describe, expect, it } from 'vitest';
import { alertTopic, createBrokerPublish, createMqttNotifier } from '../../../connectors/notify/mqtt.ts';
import { alertOf, messageOf, notifierContract, type Received, type ReceiverMode } from '../../contracts/notifier.ts';
import { closeAll, connect } from './socket.ts';

const SECRET = 'broker-secret-8462';

async function openBroker() {
  const broker = await Aedes.createBroker();
  const received: Received[] = [];
  const retained = new Map<string, string>();
  let mode: ReceiverMode = 'well';
  let states: string[] = [];
  broker.authenticate = (_client, _user, password, done) => {
    if (mode === 'well') return done(null, String(password) === SECRET);
    done(Object.assign(new Error('no'), { returnCode: mode === 'busy' ? 3 : 5 }) as never, false);
  };
  broker.on('publish', ({ topic, payload, retain }, client) => {
    if (!client) return;
    const text = payload.toString();
    if (retain) {
      retained.set(topic, text);
      states.push(text);
      return;
    }
    const { id, subject } = JSON.parse(text) as { id: string; subject: string };
    received.push({ id, text: `${subject} ${states.join(' ')} ${text}` });
    states = [];
  });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (mode !== 'silent') broker.handle(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const settings = { host: '127.0.0.1', port, tls: false, user: 'box', ca_pem: null };
  const publish = createBrokerPublish({ settings, password: SECRET, connect });
  return {
    notifier: createMqttNotifier({ prefix: 'site/alerts', where: `The broker 127.0.0.1:${port}`, publish }),
    received,
    retained,
    behave: (next: ReceiverMode) => {
      mode = next;
    },
    async stop() {
      await closeAll(server, sockets);
      await new Promise<void>((done) => broker.close(() => done()));
    },
    secret: SECRET,
  };
}

describe('MQTT', () => {
  notifierContract(openBroker);

  it('keeps the state of each alert as a retained message', async () => {
    const rig = await openBroker();
    const signal = () => AbortSignal.timeout(10_000);
    const object = 'hall/1+#';
    const topic = alertTopic('site/alerts', { kind: 'meter_silent', object });
    expect(topic).toBe('site/alerts/meter_silent/hall%2F1%2B%23');
    const state = () => (JSON.parse(rig.retained.get(topic) ?? '{}') as { state?: string }).state;
    await rig.notifier.send(messageOf({ alerts: [alertOf({ object })] }), signal());
    await expect.poll(state).toBe('open');
    await rig.notifier.send(
      messageOf({ alerts: [alertOf({ object, acknowledged_by: 'anna', what: 'acknowledged' })] }),
      signal(),
    );
    await expect.poll(state).toBe('acknowledged');
    await rig.notifier.send(messageOf({ alerts: [alertOf({ object, closed_ms: 5, what: 'solved' })] }), signal());
    await expect.poll(state).toBe('solved');
    await rig.stop();
  });
});
