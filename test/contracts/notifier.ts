/** What every Notifier does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { NotifiedAlert, Notifier, NotifierMessage } from '../../engine/ports.ts';

/** `text` is everything that arrived, decoded. */
export type Received = { id: string; text: string };
export type ReceiverMode = 'well' | 'busy' | 'refusing' | 'silent';
export type NotifierRig = {
  notifier: Notifier;
  received: Received[];
  /** How the other side behaves from now on. */
  behave(mode: ReceiverMode): void;
  /** Nothing listens any more. */
  stop(): Promise<void>;
  /** Must never stand in an error. */
  secret: string;
};

export function alertOf(change: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    ...{ id: 'a1', kind: 'meter_silent', object: 'hall-1', name: 'Halle Süd', severity: 'warning', what: 'opened' },
    ...{
      text: 'Der Zähler Halle Süd schweigt seit 14:05.',
      remedy: 'Prüfen Sie das Kabel.',
      link: 'http://box/meters/hall-1',
    },
    ...{ opened_ms: Date.UTC(2026, 2, 1, 13, 5), closed_ms: null, acknowledged_by: null },
    ...change,
  };
}

export function messageOf(change: Partial<NotifierMessage> = {}): NotifierMessage {
  const alerts = change.alerts ?? [alertOf()];
  return {
    ...{ id: 'b6f9e2a4-0000-4000-8000-000000000001', made_ms: Date.UTC(2026, 2, 1, 13, 6), to: 'anna@example.org' },
    ...{ language: 'de', subject: 'Warnung: Zähler schweigt', test: false, site: 'Werk Nord', more: 0 },
    text: alerts.map(({ text, remedy }) => `${text}\n${remedy}`).join('\n\n'),
    ...change,
    alerts,
  };
}

const soon = () => AbortSignal.timeout(20_000);

export function notifierContract(open: () => Promise<NotifierRig>): void {
  let rig: NotifierRig;
  beforeAll(async () => {
    rig = await open();
  });
  afterEach(() => {
    rig.behave('well');
    rig.received.length = 0;
  });
  afterAll(() => rig.stop());
  const failure = async (signal = soon()) => {
    const error = await rig.notifier.send(messageOf(), signal).then(
      () => new Error('it was taken'),
      (e: Error) => e,
    );
    expect(`${error.message} ${(error as InvalidDataError).remedy}`).not.toContain(rig.secret);
    return error;
  };

  it('delivers subject and words, umlauts too, and says what the other side said', async () => {
    const said = await rig.notifier.send(messageOf(), soon());
    expect(said).not.toBe('');
    await expect.poll(() => rig.received.length, { timeout: 10_000 }).toBe(1);
    const [{ id, text } = { id: '', text: '' }] = rig.received;
    expect(id).toContain(messageOf().id);
    for (const part of ['Warnung: Zähler schweigt', 'Halle Süd', 'schweigt seit 14:05', 'Prüfen Sie das Kabel'])
      expect(text).toContain(part);
  });

  it('carries the same id in a second attempt', async () => {
    await rig.notifier.send(messageOf(), soon());
    await rig.notifier.send(messageOf(), soon());
    await expect.poll(() => rig.received.length, { timeout: 10_000 }).toBe(2);
    expect(rig.received[0]!.id).toBe(rig.received[1]!.id);
  });

  it('delivers a message about 200 alerts', async () => {
    const alerts = Array.from({ length: 200 }, (_, i) =>
      alertOf({ id: `a${i}`, object: `m/${i}+#`, name: `Zähler ${i}` }),
    );
    await rig.notifier.send(messageOf({ alerts, text: alerts.map(({ name }) => name).join('\n') }), soon());
    await expect.poll(() => rig.received.at(-1)?.text ?? '', { timeout: 10_000 }).toContain('Zähler 199');
  });

  it('says that later may work when the other side is busy', async () => {
    rig.behave('busy');
    expect(await failure()).toBeInstanceOf(UnavailableError);
    expect(rig.received).toEqual([]);
  });

  it('says that it is of no use when the other side refuses', async () => {
    rig.behave('refusing');
    expect(await failure()).toBeInstanceOf(InvalidDataError);
    expect(rig.received).toEqual([]);
  });

  it('gives up on a silent one at its deadline', async () => {
    rig.behave('silent');
    const begun = performance.now();
    const error = await failure(AbortSignal.timeout(500));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain('it took too long');
    expect(performance.now() - begun).toBeLessThan(8000);
  });

  it('says so when nothing listens', async () => {
    await rig.stop();
    await sleep(10);
    const error = await failure();
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain('nothing listens there');
  });
}
