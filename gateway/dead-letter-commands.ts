/** `luna dead-letters list` and `retry`: what the series store refused, and taking it in again. */

import type { CommandResult } from './control.ts';
import { type DeadLetter, deadLetterFolder, readDeadLetters, removeDeadLetter } from './dead-letters.ts';
import type { Actor, Services } from './services.ts';

const LINES = 100;

type Needs = Pick<Services, 'config' | 'intake'>;

/** Of the organisation of `actor`, or where `tenant` was not named of all. */
async function lettersOf({ config }: Needs, actor: Actor, args: Record<string, unknown>): Promise<DeadLetter[]> {
  const all = await readDeadLetters(deadLetterFolder(config.home));
  return args.tenant === undefined ? all : all.filter(({ group }) => group.tenant === actor.tenant);
}

/** What was put aside, with the reason. */
export async function listDeadLetters(
  services: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const letters = await lettersOf(services, actor, args);
  const lines = letters.slice(0, LINES).map(({ id, refused_ms, reason, group }) => {
    const meters = [...new Set(group.readings.map(({ meter }) => meter))].slice(0, 3).join(', ');
    const when = new Date(refused_ms).toISOString();
    return `${id}  ${when}  ${group.tenant}  ${group.source}  ${group.readings.length} readings of ${meters}: ${reason}`;
  });
  const more = letters.length > LINES ? [`and ${letters.length - LINES} more`] : [];
  return {
    text: letters.length === 0 ? 'Nothing was put aside.' : [...lines, ...more].join('\n'),
    json: { dead_letters: letters },
  };
}

/** Takes readings that were put aside in again; they count as received once more. What is refused stays where it is. */
export async function retryDeadLetters(
  services: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const letters = (await lettersOf(services, actor, args)).filter(({ id }) => args.id === undefined || id === args.id);
  const kept: string[] = [];
  let taken = 0;
  for (const { id, group } of letters) {
    const { seq: _, ...rest } = group;
    const { rejected } = await services.intake(rest);
    // A part that is rejected must not go with the rest.
    if (rejected.length > 0) kept.push(`${id}: ${rejected[0]!.problem}`);
    else {
      await removeDeadLetter(deadLetterFolder(services.config.home), id);
      taken++;
    }
  }
  const text = [`${taken} of ${letters.length} taken in again.`, ...kept].join('\n');
  return { text, json: { taken, kept: kept.length }, ...(kept.length > 0 ? { failed: true } : {}) };
}
