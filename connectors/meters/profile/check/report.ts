/** What `luna profile test` says of a profile. */
import type { CaseKind } from '../catalogue.ts';

/** `where` is the file and line, `problem` what is wrong, `remedy` what to write instead. */
export type Finding = { where: string; problem: string; remedy?: string };

export type CaseReport = { name: string; kind: CaseKind; passed: boolean };

export type ProfileReport = {
  name: string;
  /** What must be mended. */
  faults: Finding[];
  /** What looks wrong but may be right: a unit, a sign, a topic that no case sends. */
  doubts: Finding[];
  cases: CaseReport[];
  /** Whether recorded or documented cases cover the main quantities; `unverified` names those that they do not. */
  verified: boolean;
  unverified: string[];
};
