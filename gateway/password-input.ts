/** `--password-stdin`: a password on the command line would stand in the list of processes and in the shell's history. */
import type { Readable } from 'node:stream';
import { InvalidDataError } from '../engine/errors.ts';

/** A longer one is no password but a file that was given by mistake. */
const MOST_BYTES = 4096;

/**
 * The arguments with the password from `input` where they ask for it: its first line, spaces kept.
 * Rejects InvalidDataError for an empty one, and where a password was given as an argument, too.
 */
export async function withPassword(args: Record<string, unknown>, input: Readable): Promise<Record<string, unknown>> {
  const { passwordStdin, ...rest } = args;
  if (passwordStdin !== true) return rest;
  if (rest.password !== undefined)
    throw new InvalidDataError('The password was given twice.', 'Give --password-stdin alone.');
  const password = (await firstLine(input)).replace(/\r$/, '');
  if (password === '')
    throw new InvalidDataError('Standard input holds no password.', 'Give it e.g. with `< password.txt`.');
  return { ...rest, password };
}

async function firstLine(input: Readable): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (text.length > MOST_BYTES) throw new InvalidDataError('This password is too long.', 'Give a shorter one.');
  }
  return text;
}
