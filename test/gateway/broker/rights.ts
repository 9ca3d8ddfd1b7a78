/** Plays random episodes at a real broker and holds everything that anybody gets against the table of rights. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { createTopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import { loadProfiles } from '../../../connectors/meters/profile/catalogue.ts';
import { openRaw, publishPacket, type RawClient } from './raw-client.ts';
import { meterPoint, openRig, PASSWORD, pushDevice, type Rig } from './rig.ts';
import { type Doing, type Episode, episode, OWN } from './rights-cases.ts';
import { ACCOUNTS, type Account, isLegalFilter, isLegalTopic, mayHear } from './rights-oracle.ts';

export type RightsResult = { cases: number; leaks: string[]; heard: number; granted: number; stored: number };

/** Nothing arrives any more when nothing arrived for so long. */
const QUIET_MS = 12;
const LIMIT_MS = 20_000;
/** Of an episode. */
const CASES_AT_LEAST = 60;
const PROFILES = join(import.meta.dirname, '../../../firmware-profiles');

type Said = { tenant: string; account: Account | null; topic: string };
type Conn = RawClient & { account: Account; client_id: string };

/** @param progress is told the cases so far */
export async function checkRights(
  { cases, seed }: { cases: number; seed: number },
  progress: (cases: number) => void = () => {},
): Promise<RightsResult> {
  const rig = await openRights();
  const result: RightsResult = { cases: 0, leaks: [], heard: 0, granted: 0, stored: 0 };
  const play = createPlay(rig, result);
  try {
    const property = fc.asyncProperty(episode, async (one) => {
      if (result.cases >= cases) return;
      // A connection that somebody else ended counts as well.
      await play(one).catch((error: Error) => result.leaks.push(`an episode broke off: ${error.message}`));
      progress(result.cases);
    });
    await fc.assert(property, { seed, numRuns: Math.ceil(cases / CASES_AT_LEAST), endOnFailure: true });
  } finally {
    await rig.close();
  }
  return result;
}

function openRights(): Promise<Rig> {
  const used = (name: string) => ACCOUNTS.some(({ profile }) => profile === name);
  const profiles = new Map(loadProfiles(PROFILES, used).map((profile) => [profile.name, profile]));
  const devices = ACCOUNTS.map(({ tenant, device }) => pushDevice(device, tenant));
  const decoders = ACCOUNTS.filter(({ profile }) => profile !== null).map(({ tenant, device, profile }) => {
    const made = createTopicDecoder(profiles.get(profile!)!, pushDevice(device, tenant));
    return [`${tenant}/${device}`, made] as const;
  });
  const meters = devices.map(({ id, tenant }) => meterPoint(id, id, tenant));
  return openRig({ devices, meters, decoders: Object.fromEntries(decoders) });
}

const resolved = ({ device }: Account, path: string): string =>
  path === OWN || path.startsWith(`${OWN}/`) ? `meters/${device}${path.slice(1)}` : path;

function createPlay(rig: Rig, result: RightsResult) {
  /** Everything that was ever said, by its number: retained messages come again. */
  const said = new Map<number, Said>();
  let last_ms = 0;
  let number = 0;

  function leak(text: string): void {
    result.leaks.push(text);
  }
  function payloadOf(entry: Said, meter?: string): string {
    said.set(++number, entry);
    return JSON.stringify({ power_W: number, ...(meter ? { meter } : {}) });
  }
  function hear(account: Account, { topic, payload }: IPublishPacket): void {
    result.heard++;
    const from = said.get(Number(/"power_W":(\d+)/.exec(payload.toString())?.[1]));
    const whom = `${account.username} hears on ${JSON.stringify(topic)}`;
    if (!from) {
      leak(`${whom} what nobody said: ${payload.toString().slice(0, 80)}`);
      return;
    }
    if (from.tenant !== account.tenant) leak(`${whom} what was said in ${from.tenant}`);
    if (from.topic !== topic) leak(`${whom} what was said on ${JSON.stringify(from.topic)}`);
    if (!account.sees.test(topic)) leak(`${whom}, which is not for it`);
    if (from.account && !from.account.says.test(topic)) leak(`${whom} what ${from.account.username} may not say`);
  }
  async function open(
    account: Account,
    client_id: string,
    clean: boolean,
    will: Episode['connections'][number]['will'] = null,
  ): Promise<Conn> {
    const topic = resolved(account, will?.topic ?? '');
    const payload = will && payloadOf({ tenant: account.tenant, account, topic });
    const raw = await openRaw(rig.broker.port, {
      ...{ clientId: client_id, clean, username: account.username, password: Buffer.from(PASSWORD) },
      ...(will && { will: { ...will, topic, payload: Buffer.from(payload!), qos: 1 as const } }),
    });
    raw.onPacket((packet) => {
      last_ms = performance.now();
      if (packet.cmd === 'pubrel') raw.send({ cmd: 'pubcomp', messageId: packet.messageId });
      if (packet.cmd === 'pubrec') raw.send({ cmd: 'pubrel', messageId: packet.messageId });
      if (packet.cmd !== 'publish') return;
      hear(account, packet);
      if (packet.qos === 1) raw.send({ cmd: 'puback', messageId: packet.messageId });
      if (packet.qos === 2) raw.send({ cmd: 'pubrec', messageId: packet.messageId });
    });
    return { ...raw, account, client_id };
  }
  async function ping(conn: Conn): Promise<void> {
    conn.send({ cmd: 'pingreq' });
    await conn.next('pingresp', LIMIT_MS);
  }
  async function quiet(): Promise<void> {
    last_ms = performance.now();
    while (performance.now() - last_ms < QUIET_MS) await sleep(3);
  }
  /** What ends the connection has one of its own. */
  async function mustEnd(account: Account, packet: Packet): Promise<void> {
    const conn = await open(account, 'odd', true);
    await conn.next('connack', LIMIT_MS);
    conn.send(packet);
    await conn.closed;
    if (conn.received.some(({ cmd }) => cmd === 'suback' || cmd === 'puback'))
      leak(`${packet.cmd} of nonsense was taken`);
  }
  async function subscribe(conn: Conn, asked: string, qos: 0 | 1 | 2): Promise<void> {
    result.cases++;
    const filter = resolved(conn.account, asked);
    const packet: Packet = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos }] };
    if (!isLegalFilter(filter)) return mustEnd(conn.account, packet);
    conn.send(packet);
    const { granted } = (await conn.next('suback', LIMIT_MS)) as Packet & { granted: number[] };
    if (granted[0]! >= 0x80) return;
    result.granted++;
    if (!mayHear(conn.account, filter)) leak(`${conn.account.username} is granted ${JSON.stringify(filter)}`);
  }
  async function publish(conn: Conn, { qos, retain, foreign_meter, ...doing }: Doing, id: number): Promise<void> {
    const { account } = conn;
    const topic = resolved(account, doing.topic);
    // Nothing is said on no topic at all, so that there is nothing to refuse.
    if (topic === '') return;
    result.cases++;
    const payload = payloadOf({ tenant: account.tenant, account, topic }, foreign_meter ? 'a.b' : undefined);
    const packet = { ...publishPacket(topic, payload, id), qos, retain } as Packet;
    if (isLegalTopic(topic)) conn.send(packet);
    else await mustEnd(account, packet);
  }
  /** Another account takes the client id: it gets nothing of the session, and the owner keeps its connection. */
  async function takeOver(victim: Conn, { account, client_id }: Conn, clean: boolean): Promise<void> {
    // Its own connection with that id gives way, as it must.
    if (victim.account === account || victim.client_id === client_id) return;
    result.cases++;
    const thief = await open(account, victim.client_id, clean);
    const connack = (await thief.next('connack', LIMIT_MS)) as Packet & { sessionPresent: boolean };
    const own = durable.has(`${account.username}\n${victim.client_id}`);
    if (connack.sessionPresent && !own) leak(`${account.username} finds the session of ${victim.account.username}`);
    await ping(thief);
    await ping(victim).catch(() => leak(`${account.username} ended the connection of ${victim.account.username}`));
    thief.end();
  }
  /** Sessions that an account left itself, over all episodes. */
  const durable = new Set<string>();
  function checkStored(): void {
    for (const { tenant, device, readings } of rig.stored.splice(0))
      for (const { meter, value } of readings) {
        result.stored++;
        const from = said.get(value);
        const right = from?.account?.tenant === tenant && from.account.device === device && meter === device;
        if (!right || from?.topic !== `meters/${device}/readings`)
          leak(`${tenant}/${device} has a reading of ${from?.account?.username} in ${meter}`);
      }
  }
  return async ({ connections, filters, publishes, takeovers, late }: Episode): Promise<void> => {
    const conns = await Promise.all(
      connections.map(async ({ client_id, clean, will }, i) => {
        const conn = await open(ACCOUNTS[i]!, client_id, clean, will?.topic === '' ? null : will);
        await conn.next('connack', LIMIT_MS);
        if (will && will.topic !== '') result.cases++;
        if (!clean) durable.add(`${conn.account.username}\n${client_id}`);
        return conn;
      }),
    );
    for (const { who, filter, qos } of filters) await subscribe(conns[who]!, filter, qos);
    for (const [i, doing] of publishes.entries()) await publish(conns[doing.who]!, doing, i + 1);
    for (const [tenant, topic] of [
      ['default', 'luna/m1/state'],
      ['other', 'luna-other/m1/state'],
      ['other', 'luna/m1/state'],
    ] as const)
      await rig.broker.publish(tenant, topic, payloadOf({ tenant, account: null, topic }), {
        retain: number % 2 === 0,
      });
    for (const conn of conns) await ping(conn);
    for (const { who, of, clean } of takeovers) await takeOver(conns[of]!, conns[who]!, clean);
    // Half of them go without a word, so that their wills are said; then their sessions go on.
    const gone = conns.filter((_, i) => i % 2 === 0);
    for (const conn of gone) conn.end();
    await quiet();
    for (const [i, conn] of conns.entries())
      if (gone.includes(conn)) conns[i] = await open(conn.account, conn.client_id, connections[i]!.clean);
    for (const { who, filter } of late) await subscribe(conns[who]!, filter, 1);
    await quiet();
    for (const conn of conns) conn.end();
    checkStored();
  };
}
