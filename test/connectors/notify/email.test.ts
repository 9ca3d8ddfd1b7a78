import selfsigned from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmailNotifier, type EmailSettings } from '../../../connectors/notify/email.ts';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { messageOf, notifierContract } from '../../contracts/notifier.ts';
import { openReceiver, type Receiver } from './smtp-receiver.ts';
import { connect } from './socket.ts';

const SECRET = 'open-sesame-7391';
const settings = (port: number, change: Partial<EmailSettings> = {}): EmailSettings => ({
  ...{ host: '127.0.0.1', port, security: 'none', user: 'box', from: 'Luna <luna@example.org>', ca_pem: null },
  ...change,
});
const soon = () => AbortSignal.timeout(20_000);

describe('e-mail', () => {
  notifierContract(async () => {
    const receiver = await openReceiver({ user: { name: 'box', password: SECRET } });
    return {
      notifier: createEmailNotifier({ settings: settings(receiver.port), password: SECRET, connect }),
      received: receiver.mails,
      behave: receiver.behave,
      stop: receiver.close,
      secret: SECRET,
    };
  });
});

describe('e-mail over SMTP', () => {
  let receiver: Receiver;
  afterEach(() => receiver?.close());
  const certificate = async () => {
    const made = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    return { cert: made.cert, key: made.private };
  };
  const send = (change: Partial<EmailSettings>, password: string | null = SECRET, to = 'anna@example.org') =>
    createEmailNotifier({ settings: settings(receiver.port, change), password, connect, timeout_ms: 3000 })
      .send(messageOf({ to }), soon())
      .then(
        (said) => said,
        (error: Error) => error,
      );

  it.each(['tls', 'starttls'] as const)('encrypts with %s and signs in', async (security) => {
    const pair = await certificate();
    receiver = await openReceiver({ security, certificate: pair, user: { name: 'box', password: SECRET } });
    expect(await send({ security, host: 'localhost', ca_pem: pair.cert })).toMatch(/^250/);
    expect(receiver.mails).toMatchObject([
      { secure: true, user: 'box', to: ['anna@example.org'], from: 'luna@example.org' },
    ]);
    expect(receiver.mails[0]!.raw).toMatch(/^Auto-Submitted: auto-generated/im);
    // The same server with a certificate that nobody vouches for, or for another name, gets no password.
    for (const change of [{ host: 'localhost' }, { host: '127.0.0.1', ca_pem: pair.cert }]) {
      const error = await send({ security, ...change });
      expect((error as Error).message).toMatch(/certificate is (signed by itself|for another name)/);
    }
    expect(receiver.mails).toHaveLength(1);
  });

  it('sends nothing where STARTTLS is wanted and not offered', async () => {
    receiver = await openReceiver({ security: 'none', user: { name: 'box', password: SECRET } });
    expect(await send({ security: 'starttls' })).toBeInstanceOf(UnavailableError);
    expect(receiver.mails).toEqual([]);
  });

  it('names a wrong password as what it is', async () => {
    receiver = await openReceiver({ user: { name: 'box', password: 'another' } });
    const error = await send({});
    expect(error).toBeInstanceOf(InvalidDataError);
    expect((error as Error).message).toMatch(/refuses user name or password.*535/);
    expect((error as Error).message).not.toContain(SECRET);
  });

  it('names a recipient that the server does not know', async () => {
    receiver = await openReceiver();
    const error = await send({ user: null }, null, 'nobody@example.org');
    expect(error).toBeInstanceOf(InvalidDataError);
    expect((error as Error).message).toMatch(/refuses the recipient.*No such mailbox/);
  });

  it('lets nobody write headers through a subject or name', async () => {
    receiver = await openReceiver();
    const subject = 'one\r\nBcc: spy@example.org\r\n\r\nbody';
    await createEmailNotifier({ settings: settings(receiver.port, { user: null }), password: null, connect }).send(
      messageOf({ subject }),
      soon(),
    );
    expect(receiver.mails).toMatchObject([{ to: ['anna@example.org'] }]);
    expect(receiver.mails[0]!.raw).not.toMatch(/^Bcc:/im);
  });

  it('waits for a slow server', async () => {
    receiver = await openReceiver({ slow_ms: 800 });
    expect(await send({ user: null })).toMatch(/^250/);
  });

  it('needs an address', async () => {
    receiver = await openReceiver();
    expect(await send({ user: null }, null, '')).toBeInstanceOf(InvalidDataError);
    expect(await send({ user: null }, null, 'a@b.c, d@e.f\r\nX: y')).toBeInstanceOf(InvalidDataError);
  });
});
