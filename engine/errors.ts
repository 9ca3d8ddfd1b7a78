/**
 * The kinds of failure that cross module borders. `message` is one sentence that says what happened,
 * `remedy` one that says what to do; both are shown to people.
 */
import type { ModelFaultKind } from './ports/language.ts';

/** Which sentence it is, and what stands in its gaps. The sentences are in web/i18n, as `fault.<code>`. */
export type FaultWords = {
  code:
    | 'no_answer'
    | 'refuses'
    | 'unknown_host'
    | 'no_way'
    | 'no_connect'
    | 'closed'
    | 'behind_gateway'
    | 'garbled'
    | 'serial_port'
    | 'serial_closed'
    | 'http_no_answer'
    | 'http_status'
    | 'http_token'
    | 'http_unreachable';
  params: Readonly<Record<string, string>>;
};

abstract class LunaError extends Error {
  readonly remedy: string | undefined;
  /** Message and remedy for pages in other languages, where they are one of those that are told often. */
  readonly words: FaultWords | undefined;
  constructor(message: string, remedy?: string, options?: { cause?: unknown; words?: FaultWords }) {
    super(message, options);
    this.name = new.target.name;
    this.remedy = remedy;
    this.words = options?.words;
  }
}

/** Configuration, a profile or a stored setting is wrong: nothing starts until it is mended. */
export class ConfigError extends LunaError {}

/** A device, store or provider does not answer now; trying again later may work. */
export class UnavailableError extends LunaError {}

/** What was to be continued has a gap: it must be begun anew, which needs nobody's help. */
export class LogGapError extends UnavailableError {}

/** A language model failed; `fault` says how. */
export class ModelError extends UnavailableError {
  readonly fault: ModelFaultKind;
  constructor(fault: ModelFaultKind, message: string, remedy?: string, options?: { cause?: unknown }) {
    super(message, remedy, options);
    this.fault = fault;
  }
}

/** What was supplied is malformed or impossible; trying again gives the same. */
export class InvalidDataError extends LunaError {
  /** Each fault with the place it was found at (`readings[3].at`, `line 17`), when there are several. */
  readonly faults: readonly Fault[];
  constructor(message: string, remedy?: string, faults: readonly Fault[] = []) {
    super(message, remedy);
    this.faults = faults;
  }
}

/** More was sent than is taken at once. */
export class TooLargeError extends InvalidDataError {}

/** The thing asked for does not exist (a meter, a document, a page). */
export class NotFoundError extends LunaError {}

/** This device, store or model cannot do what was asked. */
export class UnsupportedError extends LunaError {}

/** Who asks may not have this. */
export class NotAllowedError extends LunaError {}

/** Refused for now because of too many tries; `retry_after_s` says when to come back. */
export class TooManyTriesError extends NotAllowedError {
  readonly retry_after_s: number;
  constructor(message: string, retry_after_s: number) {
    super(message, `Try again in ${retry_after_s} s.`);
    this.retry_after_s = retry_after_s;
  }
}

export type Fault = { where: string; problem: string };
