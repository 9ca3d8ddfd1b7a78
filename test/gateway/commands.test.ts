import { describe, expect, it } from 'vitest';
import { runCommand } from '../../gateway/commands.ts';
import type { Services } from '../../gateway/services.ts';

describe('luna user reset-password', () => {
  const changed: unknown[] = [];
  const site = { tenants: () => ['default'] };
  const access = {
    listPeople: async () => [{ id: 'p1', login: 'anna' }],
    changePerson: async (...given: unknown[]) => changed.push(given[2]),
  };
  const reset = (more: Record<string, unknown>) =>
    runCommand({ access, site } as unknown as Services, {
      name: 'user reset-password',
      args: { login: 'anna', ...more },
    });

  it('shows the password that it made, and never one that was given', async () => {
    const made = await reset({});
    expect(made.text).toContain(String(made.json.password));
    expect(changed.at(-1)).toMatchObject({ password: made.json.password });
    const given = await reset({ password: 'correct horse battery' });
    expect(JSON.stringify(given)).not.toContain('correct horse');
    expect(changed.at(-1)).toMatchObject({ password: 'correct horse battery' });
  });
});
