import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../engine/errors.ts';
import { openControl, sendCommand, socketPath } from '../../gateway/control.ts';

describe('control socket', () => {
  let home: string;
  const opened: { close(): Promise<void> }[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-control-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((control) => control.close()));
    rmSync(home, { recursive: true, force: true });
  });
  const open = async (dir = home) => {
    const control = await openControl(dir);
    opened.push(control);
    return control;
  };

  it('hands a command over and brings its result back', async () => {
    const control = await open();
    control.serve(async ({ name, args }) => ({ text: name, json: args }));
    expect(await sendCommand(home, { name: 'doctor', args: { a: 1 } })).toEqual({ text: 'doctor', json: { a: 1 } });
  });

  it('says null when no box runs', async () => {
    expect(await sendCommand(home, { name: 'doctor', args: {} })).toBeNull();
  });

  it('takes over the socket that a killed box left', async () => {
    const path = socketPath(home);
    const killed = spawn(process.execPath, ['-e', `require('http').createServer().listen(${JSON.stringify(path)})`]);
    while (!existsSync(path)) await new Promise((done) => setTimeout(done, 10));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(existsSync(path)).toBe(true);
    expect(await sendCommand(home, { name: 'doctor', args: {} })).toBeNull();
    const control = await open();
    control.serve(async () => ({ text: 'ok', json: {} }));
    expect((await sendCommand(home, { name: 'doctor', args: {} }))?.text).toBe('ok');
  });

  it('refuses a second holder of the same home, and lets the next one in after it closed', async () => {
    const first = await open();
    await expect(openControl(home)).rejects.toThrow(/Another Luna runs/);
    await first.close();
    await open();
  });

  it('leaves the home to a box that is stopped, and says so', async () => {
    const module = JSON.stringify(import.meta.resolve('../../gateway/control.ts'));
    const code = `const { openControl } = await import(${module}); await openControl(${JSON.stringify(home)}); console.log('open')`;
    const box = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(box.stdout, 'data');
      box.kill('SIGSTOP');
      await expect(sendCommand(home, { name: 'doctor', args: {} }, 200)).rejects.toThrow(/does not answer/);
      await expect(openControl(home)).rejects.toThrow(/Another Luna runs/);
      expect(existsSync(socketPath(home))).toBe(true);
    } finally {
      box.kill('SIGKILL');
    }
    await once(box, 'exit');
    expect(await sendCommand(home, { name: 'doctor', args: {} })).toBeNull();
    await open();
  });

  it('lets in one of two that start at the same moment over the socket of a killed box', async () => {
    const path = socketPath(home);
    const killed = spawn(process.execPath, ['-e', `require('http').createServer().listen(${JSON.stringify(path)})`]);
    while (!existsSync(path)) await new Promise((done) => setTimeout(done, 10));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const started = await Promise.allSettled([open(), open()]);
    expect(started.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is for the owner of the home only', async () => {
    await open();
    expect(statSync(socketPath(home)).mode & 0o777).toBe(0o600);
  });

  it('passes the words of a refusal on', async () => {
    const control = await open();
    control.serve(async () => {
      throw new InvalidDataError('"boss" is no role.', 'Give admin, analyst or user.');
    });
    await expect(sendCommand(home, { name: 'key create', args: {} })).rejects.toThrow(
      '"boss" is no role. Give admin, analyst or user.',
    );
  });

  it('passes on every fault with its place', async () => {
    const control = await open();
    const faults = [
      { where: 'login', problem: 'is taken' },
      { where: 'role', problem: 'is none' },
    ];
    control.serve(async () => {
      throw new InvalidDataError('This cannot be stored.', 'Change these fields.', faults);
    });
    const refused = await sendCommand(home, { name: 'user add', args: {} }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidDataError);
    expect(refused).toMatchObject({ message: 'This cannot be stored. Change these fields.', faults });
  });

  it('says that the box is still starting', async () => {
    await open();
    await expect(sendCommand(home, { name: 'doctor', args: {} })).rejects.toThrow(/still starting/);
  });

  it('works in a home whose path is too long for a socket', async () => {
    const deep = join(home, 'd'.repeat(90), 'e'.repeat(40));
    mkdirSync(deep, { recursive: true });
    const control = await open(deep);
    control.serve(async () => ({ text: 'ok', json: {} }));
    expect((await sendCommand(deep, { name: 'doctor', args: {} }))?.text).toBe('ok');
  });
});
