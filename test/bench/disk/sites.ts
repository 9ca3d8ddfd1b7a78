/** The places where the box writes, each as something that a person or a meter does over the box's own interfaces. */
import { connectAsync, type MqttClient } from 'mqtt';
import { sendCommand } from '../../../gateway/control.ts';
import type { RunningBox } from '../load/box.ts';
import type { LoadClient } from '../load/protocol.ts';

export type Site = {
  name: string;
  /** `done`: it was kept. `refused`: a clear answer that it was not. Anything else throws. */
  write(n: number): Promise<'done' | 'refused'>;
};

/** Answers that say that there is no room now, and nothing worse. */
const REFUSALS = new Set([503, 507]);
const MQTT_PATIENCE_MS = 1500;
const MANY = 9_000;

export function sitesOf(
  home: string,
  key: string,
  device: LoadClient,
  box: RunningBox,
  sent: { http: Set<number>; mqtt: Set<number> },
): { sites: Site[]; close(): Promise<void> } {
  const headers = { authorization: `Bearer ${key}` };
  const judged = async (answer: Response): Promise<'done' | 'refused'> => {
    if (answer.ok) return 'done';
    if (REFUSALS.has(answer.status)) return 'refused';
    throw new Error(`${answer.url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  };
  let client: MqttClient | null = null;
  const sites: Site[] = [
    {
      name: 'journal (readings over HTTP)',
      async write(n) {
        // Many, so that what the journal has in reserve is used up soon; the first is looked for afterwards.
        const at = (i: number) =>
          new Date(i === 0 ? START_MS + n * 1000 : START_MS - (n * MANY + i) * 1000).toISOString();
        const readings = Array.from({ length: MANY }, (_, i) => ({ meter: device.meter, power_W: n, at: at(i) }));
        const outcome = await judged(
          await fetch(`${box.url}/api/v1/readings`, {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ readings }),
          }),
        );
        if (outcome === 'done') sent.http.add(n);
        return outcome;
      },
    },
    {
      name: 'journal and sessions (readings over MQTT)',
      async write(n) {
        client ??= await connectAsync(`mqtt://127.0.0.1:${box.mqtt_port}`, {
          ...{ username: device.username, password: device.password, clientId: device.client_id, clean: false },
          ...{ reconnectPeriod: 200, connectTimeout: 5000 },
        });
        const payload = JSON.stringify({ at: START_MS + n * 1000 + 500, power_W: n });
        const acknowledged = client.publishAsync(device.topic, payload, { qos: 1 }).then(() => sent.mqtt.add(n));
        acknowledged.catch(() => {});
        const late = new Promise<null>((done) => setTimeout(() => done(null), MQTT_PATIENCE_MS).unref());
        // What is not acknowledged the meter keeps and sends again.
        return (await Promise.race([acknowledged, late])) ? 'done' : 'refused';
      },
    },
    {
      name: 'database (a new device)',
      async write(n) {
        return command(home, 'device create', { id: `late-${n}` });
      },
    },
    {
      name: 'uploaded files',
      async write(n) {
        const form = new FormData();
        const text = `# Rule ${n}\n\nEvery meter ${n} shall be read. ${'x'.repeat(200_000)}\n`;
        form.set('file', new File([text], `rule-${n}.md`, { type: 'text/markdown' }));
        form.set('title', `Rule ${n}`);
        return judged(await fetch(`${box.url}/api/v1/documents`, { method: 'POST', headers, body: form }));
      },
    },
    { name: 'backup', write: () => command(home, 'backup', {}) },
  ];
  return { sites, close: async () => client?.endAsync(true) };
}

/** Readings of the bench begin here, so that they are known again. */
export const START_MS = Date.UTC(2026, 0, 1);

/** The command line gets a sentence that says what is wrong. */
async function command(home: string, name: string, args: Record<string, unknown>): Promise<'done' | 'refused'> {
  try {
    const result = await sendCommand(home, { name, args });
    return result && !result.failed ? 'done' : 'refused';
  } catch (error) {
    const { message } = error as Error;
    if (/space|full|room|does not answer|unavailable|could not|try again/i.test(message)) return 'refused';
    throw error;
  }
}
