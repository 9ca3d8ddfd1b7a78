/** Secrets of connections as the database holds them: sealed, each for its own device. */
import type { Logger } from 'pino';
import type { Connection, Device } from '../../../engine/model/site.ts';
import { isSealed, type Vault } from '../../auth/vault.ts';

/** Fields of any kind of connection that are secret. */
const SECRETS = ['token', 'password'] as const;

type Owner = Pick<Device, 'tenant' | 'id'>;
export type SealedConnections = {
  /** For the database. What could not be opened stays as it is. */
  seal(owner: Owner, connection: Connection): Connection;
  /** From the database. What another key sealed stays sealed, and the log says so: it must be entered again. */
  open(owner: Owner, connection: Connection): Connection;
  /** Whether something of it stands there in the clear, from a former version. */
  isPlain(connection: Connection): boolean;
};

export function createSealedConnections(vault: Vault, log: Pick<Logger, 'error'>): SealedConnections {
  const contextOf = ({ tenant, id }: Owner, field: string) => `${tenant}/device/${id}/${field}`;
  return {
    seal: (owner, connection) =>
      mapped(connection, (text, field) => (isSealed(text) ? text : vault.seal(text, contextOf(owner, field)))),
    open: (owner, connection) =>
      mapped(connection, (text, field) => {
        if (!isSealed(text)) return text;
        try {
          return vault.open(text, contextOf(owner, field));
        } catch (error) {
          log.error({ err: error, tenant_id: owner.tenant, device: owner.id }, 'the secret of a device cannot be read');
          return text;
        }
      }),
    isPlain: (connection) => secretsOf(connection).some(([, text]) => !isSealed(text)),
  };
}

function secretsOf(connection: Connection): [string, string][] {
  return SECRETS.flatMap((field): [string, string][] => {
    const value: unknown = Reflect.get(connection, field);
    return typeof value === 'string' && value !== '' ? [[field, value]] : [];
  });
}

function mapped(connection: Connection, change: (text: string, field: string) => string): Connection {
  const changed = secretsOf(connection).map(([field, text]) => [field, change(text, field)]);
  return { ...connection, ...Object.fromEntries(changed) };
}
