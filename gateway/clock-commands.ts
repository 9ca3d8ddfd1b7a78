/** `luna clock`: whether the clock is trusted, what waits for its time, and what to do about it. */
import { InvalidDataError } from '../engine/errors.ts';
import type { CommandResult } from './control.ts';
import { believeClock } from './http/api/clock.ts';
import type { Actor, Services } from './services.ts';

type Needs = Pick<Services, 'watch' | 'quarantine' | 'audit'>;
const iso = (at_ms: number) => new Date(at_ms).toISOString();

export async function showClock({ watch, quarantine }: Needs, actor: Actor): Promise<CommandResult> {
  const report = watch.report();
  const held = await quarantine.held(actor.tenant);
  const lines = [
    report.trusted
      ? `The clock is trusted: ${iso(report.wall_ms)}.`
      : `The clock shows ${iso(report.wall_ms)} and is not trusted (${report.reason}); the box goes on with ${iso(report.believed_ms)}.`,
    ...held.map(
      ({ boot, current, readings, first_mono_ms, last_mono_ms }) =>
        `${boot}  ${readings} readings over ${Math.round((last_mono_ms - first_mono_ms) / 1000)} s  ${current ? 'wait for the clock' : 'set aside: luna clock release or discard'}`,
    ),
  ];
  return { text: lines.join('\n'), json: { ...report, held }, ...(report.trusted ? {} : { failed: true }) };
}

export async function sayClockIsRight(services: Needs, actor: Actor): Promise<CommandResult> {
  await believeClock(services, actor);
  return { text: 'The clock is trusted.', json: { ...services.watch.report() } };
}

/** `boot` as `luna clock` lists it, `first` the time of the first reading. */
export async function releaseHeld(
  { quarantine, audit }: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const first_ms = Date.parse(String(args.first));
  if (!Number.isFinite(first_ms)) throw new InvalidDataError('`first` is no time.', 'Give it as 2026-03-10T10:00:00Z.');
  const outcome = await quarantine.release(actor.tenant, String(args.boot), first_ms);
  await audit.record(actor, 'release held readings', String(args.boot), { ...outcome, first_at: iso(first_ms) });
  return { text: `${outcome.readings} readings taken in.`, json: outcome };
}

export async function discardHeld(
  { quarantine, audit }: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const outcome = await quarantine.discard(actor.tenant, String(args.boot));
  await audit.record(actor, 'discard held readings', String(args.boot), outcome);
  return { text: `${outcome.readings} readings thrown away.`, json: outcome };
}
