/** A real SMTP receiver on loopback. */
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { ReceiverMode } from '../../contracts/notifier.ts';

export type Mail = {
  id: string;
  from: string;
  to: string[];
  raw: string;
  text: string;
  secure: boolean;
  user: string | null;
};
export type Receiver = {
  port: number;
  mails: Mail[];
  behave(mode: ReceiverMode): void;
  onConnection(listener: () => void): void;
  close(): Promise<void>;
};
type Options = {
  security?: 'tls' | 'starttls' | 'none';
  certificate?: { cert: string; key: string };
  user?: { name: string; password: string };
  /** Milliseconds before the answer to a message. */
  slow_ms?: number;
  port?: number;
};

const answer = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });

export async function openReceiver(options: Options = {}): Promise<Receiver> {
  const { security = 'none', certificate, user } = options;
  const mails: Mail[] = [];
  let mode: ReceiverMode = 'well';
  const smtp = new SMTPServer({
    ...{ secure: security === 'tls', ...certificate, authOptional: !user, logger: false },
    disabledCommands: [...(security === 'none' ? ['STARTTLS'] : []), ...(user ? [] : ['AUTH'])],
    allowInsecureAuth: security === 'none',
    onAuth: ({ username, password }, _session, done) =>
      username === user?.name && password === user?.password
        ? done(null, { user: username })
        : done(answer(535, '5.7.8 Authentication credentials invalid')),
    onRcptTo({ address }, _session, done) {
      if (address.startsWith('nobody@')) return done(answer(550, '5.1.1 No such mailbox'));
      if (mode === 'refusing') return done(answer(550, '5.7.1 Relaying denied'));
      done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (mode === 'busy') return done(answer(451, '4.3.2 Try again later'));
        const raw = Buffer.concat(chunks).toString('utf8');
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          ...{ id: /^Message-ID: (.*)$/im.exec(raw)?.[1] ?? '', raw, text: decoded(raw) },
          ...{ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) },
          ...{ secure: session.secure, user: typeof session.user === 'string' ? session.user : null },
        });
        setTimeout(() => done(), options.slow_ms ?? 0);
      });
    },
  });
  smtp.on('error', () => {});
  const sockets = new Set<Socket>();
  let onConnection = () => {};
  const server: Server = createServer((socket) => {
    onConnection();
    if (mode !== 'silent') {
      smtp.server.emit('connection', socket);
      return;
    }
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    mails,
    behave(next) {
      mode = next;
    },
    onConnection(listener) {
      onConnection = listener;
    },
    async close() {
      // smtp-server ends its own connections, with the TLS that lies over them.
      await new Promise<void>((done) => smtp.close(() => done()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Headers and body as a mail program shows them. */
function decoded(raw: string): string {
  const cut = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, cut).replace(/\r\n[ \t]+/g, ' ');
  const words = head
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(/=\?utf-8\?(q|b)\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('utf8') : quoted(text.replaceAll('_', ' ')),
    );
  const body = raw.slice(cut + 4);
  if (/^content-transfer-encoding: base64/im.test(head))
    return `${words}\n\n${Buffer.from(body, 'base64').toString('utf8')}`;
  if (/^content-transfer-encoding: quoted-printable/im.test(head))
    return `${words}\n\n${quoted(body.replace(/=\r\n/g, ''))}`;
  return `${words}\n\n${body}`;
}

function quoted(text: string): string {
  return Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}
