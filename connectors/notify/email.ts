/** E-mail over SMTP (RFC 5321), with implicit TLS or STARTTLS (RFC 8314), by nodemailer. */
import { createTransport } from 'nodemailer';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { Notifier, NotifierMessage } from '../../engine/ports.ts';
import { beginning, type Connect, connectionFault, withoutSecrets } from './faults.ts';

export type EmailSettings = {
  host: string;
  port: number;
  /** `tls` from the first byte (usually port 465), `starttls` before anything is said (587), or none (a relay on the LAN). */
  security: 'tls' | 'starttls' | 'none';
  /** Null: the server wants no sign-in. */
  user: string | null;
  /** Address of the sender, e.g. `Luna <luna@example.org>`. */
  from: string;
  /** PEM of a certificate to trust beside the usual ones, for a server that made its own. */
  ca_pem: string | null;
};
export type EmailOptions = {
  settings: EmailSettings;
  password: string | null;
  connect: Connect;
  /** Milliseconds of silence after which the server is taken for dead. */
  timeout_ms?: number;
};

const TIMEOUT_MS = 15_000;

type SmtpError = Error & { code?: string; responseCode?: number; response?: string; command?: string };

/** One address, as mailboxes have it; no list, no name, nothing that could end a header. */
export function isEmailAddress(text: string | null): text is string {
  return text !== null && text.length <= 254 && /^[^\s@<>,;:"()]+@[^\s@<>,;:"()]+$/.test(text);
}

/** One connection a message: alerts are few, and a connection kept open may be dead by the next one. */
export function createEmailNotifier({ settings, password, connect, timeout_ms = TIMEOUT_MS }: EmailOptions): Notifier {
  const { host, port, security, user, from, ca_pem } = settings;
  const where = `The mail server ${host}:${port}`;
  return {
    async send(message, signal) {
      if (!isEmailAddress(message.to))
        throw new InvalidDataError('The recipient has no e-mail address.', 'Enter one in the notification settings.');
      const transport = createTransport({
        ...{ host, port, secure: security === 'tls' },
        // From here on nodemailer owns the connection: it closes it, with the TLS that it may lay over it.
        getSocket: (_options, done) => {
          connect(host, port, signal).then(
            (connection) => done(null, { connection }),
            (error: Error) => done(error),
          );
        },
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
        ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
        ...{ connectionTimeout: timeout_ms, greetingTimeout: timeout_ms, socketTimeout: timeout_ms },
        ...{ disableFileAccess: true, disableUrlAccess: true },
        tls: ca_pem === null ? {} : { ca: ca_pem },
      });
      try {
        const sent = await transport.sendMail({ ...mailOf(message, from), signal });
        return beginning(withoutSecrets(sent.response, secretsOf(user, password)));
      } catch (error) {
        const { response = '' } = error as SmtpError;
        const said = beginning(withoutSecrets(response, secretsOf(user, password)));
        throw smtpFault(where, error as SmtpError, said, signal);
      } finally {
        transport.close();
      }
    },
  };
}

function mailOf({ id, made_ms, to, language, subject, text }: NotifierMessage, from: string) {
  return {
    from,
    to: to ?? '',
    subject,
    text,
    date: new Date(made_ms),
    // A mailbox that gets a message twice shows it once.
    messageId: `<${id}@luna-iems>`,
    // RFC 3834: programs that answer mail leave this alone.
    headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': language },
  };
}

/** Also as AUTH PLAIN sends them (RFC 4616). */
function secretsOf(user: string | null, password: string | null): string[] {
  return password === null ? [] : [password, `\0${user ?? ''}\0${password}`];
}

/** 4yz is temporary, 5yz is final (RFC 5321, 4.2.1). */
function smtpFault(where: string, error: SmtpError, answer: string, signal: AbortSignal): Error {
  const { code, responseCode = 0 } = error;
  const said = answer ? ` It said: ${answer}` : '';
  if (signal.aborted) return connectionFault(where, error, signal);
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return responseCode >= 400 && responseCode < 500
      ? new UnavailableError(`${where} does not sign us in now.${said}`, 'The box tries again by itself.')
      : new InvalidDataError(
          `${where} refuses user name or password.${said}`,
          'Check both in the notification settings.',
        );
  if (code === 'ETLS')
    return connectionFault(
      where,
      new Error(`encryption fails: ${beginning(error.message)}`, { cause: error.cause }),
      signal,
    );
  if (responseCode >= 500)
    return code === 'EENVELOPE'
      ? new InvalidDataError(`${where} refuses the recipient or sender.${said}`, 'Check the addresses.')
      : new InvalidDataError(`${where} refuses the message.${said}`, 'Ask who runs the mail server.');
  if (responseCode >= 400)
    return new UnavailableError(`${where} cannot take the message now.${said}`, 'The box tries again by itself.');
  if (code === 'EENVELOPE')
    return new InvalidDataError(
      `An address is none that mail can be sent to: ${beginning(error.message)}`,
      'Check the addresses.',
    );
  return connectionFault(where, error, signal);
}
