import { describe } from 'vitest';
import { databaseContract } from '../../contracts/database.ts';
import { openTestDatabase } from '../../setup/database.ts';

describe('embedded Postgres', () => {
  databaseContract(async () => {
    const { db, close } = await openTestDatabase();
    return { ...db, close };
  });
});
