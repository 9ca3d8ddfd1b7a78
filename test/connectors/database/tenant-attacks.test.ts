import { afterAll, beforeAll, describe } from 'vitest';
import { openPostgres } from '../../../connectors/database/postgres/postgres.ts';
import { tenantAttacks } from '../../contracts/tenant-attacks.ts';
import { openTestDatabase, silent } from '../../setup/database.ts';
import { type ExternalPostgres, startExternalPostgres } from '../../setup/external-postgres.ts';

describe('attacks from inside a transaction on the embedded Postgres', () => {
  tenantAttacks(async () => {
    const { db, close } = await openTestDatabase();
    return { ...db, close };
  });
});

describe('attacks from inside a transaction on an external Postgres', () => {
  let server: ExternalPostgres;
  beforeAll(async () => {
    server = await startExternalPostgres();
  });
  afterAll(() => server?.stop());
  tenantAttacks(async () => openPostgres({ ...(await server.database()), log: silent }));
});
