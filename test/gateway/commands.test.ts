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

describe('luna model', () => {
  const run = (id: string, mae: number, state = 'done') => ({ id, recipe: `recipe-${id}`, state, metrics: { mae } });
  const asked: unknown[] = [];
  const horizon = {
    ...{ series: 'load', horizon: 'day-ahead', live: { champion: 'a', former: null } },
    runs: [run('a', 1), run('b', 3), run('c', 2), run('d', 0.5, 'failed')],
  };
  const models = {
    list: async () => [horizon],
    promote: async (_: unknown, id: string) => asked.push(`promote ${id}`),
    rollBack: async (_: unknown, series: string, name: string) => asked.push(`roll back ${series} ${name}`),
  };
  const command = (name: string, args: Record<string, unknown> = {}) =>
    runCommand({ models, site: { tenants: () => ['default'] } } as unknown as Services, { name, args });

  it('promotes the best challenger that is done, or the run that is named, and no other', async () => {
    const load = { series: 'load', horizon: 'day-ahead' };
    expect((await command('model promote', load)).json).toEqual({ champion: 'c', recipe: 'recipe-c', former: 'a' });
    await command('model promote', { ...load, run: 'b' });
    await expect(command('model promote', { ...load, run: 'x' })).rejects.toThrow(/No run x/);
    await expect(command('model promote', { ...load, series: 'price' })).rejects.toMatchObject({
      remedy: expect.stringContaining('load day-ahead'),
    });
    await command('model roll-back', load);
    expect(asked).toEqual(['promote c', 'promote b', 'roll back load day-ahead']);
    expect((await command('model list')).text).toContain('load day-ahead  a  recipe-a  live  MAE 1');
  });
});
