/** Passwords of people: argon2id with the parameters of the OWASP Password Storage Cheat Sheet (19 MiB, 2 passes). */
import { hash, verify } from '@node-rs/argon2';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';

// Algorithm.Argon2id is a const enum, which type stripping cannot read.
const OWASP = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
export const PASSWORD_MIN = 10;
const PASSWORD_MAX = 256;
/** Hashing shares Node's four pool threads with the journal's fsync, so most of them stay free for it. */
const AT_ONCE = 2;
const WAITING_LIMIT = 50;

export type Passwords = {
  /** @throws InvalidDataError for a password that is too short or too long. */
  hash(password: string): Promise<string>;
  /** `stored` null takes as long as a real one and is never right. */
  verify(stored: string | null, password: string): Promise<boolean>;
};

export function createPasswords(): Passwords {
  const turn = createTurns();
  let nobody: Promise<string> | null = null;
  const argon = (password: string) => turn(() => hash(password.normalize('NFKC'), OWASP));
  return {
    async hash(password) {
      if (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX)
        throw new InvalidDataError(
          `The password has ${password.length} characters.`,
          `Choose one of ${PASSWORD_MIN} to ${PASSWORD_MAX} characters; a few words make a good one.`,
          [{ where: 'password', problem: `must have ${PASSWORD_MIN} to ${PASSWORD_MAX} characters` }],
        );
      return argon(password);
    },
    async verify(stored, password) {
      if (password.length > PASSWORD_MAX) return false;
      nobody ??= argon('nobody has this password');
      const against = stored ?? (await nobody);
      const right = await turn(() => verify(against, password.normalize('NFKC')));
      return right && stored !== null;
    },
  };
}

/** Lets `AT_ONCE` run, the others wait in order; past the limit they are refused. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING_LIMIT)
        throw new UnavailableError('Too many people sign in at once.', 'Try again in a few seconds.');
      await new Promise<void>((go) => waiting.push(go));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
