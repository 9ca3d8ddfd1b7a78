/**
 * Readings whose time cannot be told while the clock of the box is not trusted: those that the box itself stamps, and
 * those that seem to come from the future. They are kept on disk (fsync) with the reading of the counting clock, and
 * stamped and let through when the time is known again. Those of an earlier start of the machine whose time was never
 * known stay aside until a person says when it was, or throws them away.
 *
 * One journal for each start of the machine and organisation: `clock-quarantine/<boot>/<tenant>`. In it `received_ms` is
 * the counting clock, and the time of a reading that the box stamped is minus that clock less 1: real times are above 0.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { diskFiles, writeWhole } from '../../connectors/journal/files.ts';
import { type FileJournal, openJournal } from '../../connectors/journal/journal.ts';
import { openJournalReader } from '../../connectors/journal/reader.ts';
import { createSerial } from '../../connectors/series/serial.ts';
import { NotFoundError } from '../../engine/errors.ts';
import { erasureOf } from '../../engine/model/erasure.ts';
import type { JournalledGroup, Reading, ReadingGroup } from '../../engine/model/reading.ts';
import type { Intake, IntakeOutcome } from '../../engine/ports.ts';
import { CLOCK_ALLOWANCE_MS } from '../../engine/quality/validate.ts';
import { buryGroup, deadLetterFolder, NOT_JOURNALLED } from '../dead-letters.ts';
import type { ClockWatch } from './clock-watch.ts';
import { readErasures } from './held-erasures.ts';

export type HeldReadings = {
  /** The start of the machine they are from. */
  boot: string;
  /** Held since this start: they go on by themselves once the clock is trusted. */
  current: boolean;
  readings: number;
  /** From the first to the last, by the counting clock. */
  first_mono_ms: number;
  last_mono_ms: number;
};
export interface ClockQuarantine {
  /** The way in while nobody knows: what needs no clock goes through. */
  intake: Intake;
  held(tenant: string): Promise<HeldReadings[]>;
  /** Readings of earlier starts of all organisations; as of the last look. */
  aside(): number;
  /** Lets those of an earlier start through: the first was measured at `first_ms`. @throws NotFoundError */
  release(tenant: string, boot: string, first_ms: number): Promise<{ readings: number }>;
  /** Throws those of an earlier start away. @throws NotFoundError */
  discard(tenant: string, boot: string): Promise<{ readings: number }>;
  /** Of what is held so far nothing of these meter points will be let through; null is the whole tenant. It is on disk
   * when this resolves, and what was just being let through has reached the journal. */
  erase(tenant: string, meters: readonly string[] | null): Promise<void>;
  start(): void;
  close(): Promise<void>;
}
export type QuarantineDeps = {
  home: string;
  log: Logger;
  watch: ClockWatch;
  /** The way in for readings with their true time. */
  intake: Intake;
  max_bytes: number;
};

/** In the home; the backup takes it along. */
export const HELD_FOLDER = 'clock-quarantine';
/** Of a start of the machine: the time that its counting clock began at. */
export const OFFSET_FILE = 'offset.json';
const SEGMENT_BYTES = 4 * 1024 * 1024;
const BATCH_BYTES = 1024 * 1024;
/** Devices that are polled get the time of the answer, a little before the group is handed in. */
const POLLED_MS = 60_000;
const POLLED = new Set(['modbus', 'http-poll']);
const AGAIN_MS = 5_000;
/** A device that sends each second is no better witness than one that is heard now and then. */
const ASK_EVERY_MS = 5_000;

export function createClockQuarantine(deps: QuarantineDeps): ClockQuarantine {
  const { home, log, watch } = deps;
  const root = join(home, HELD_FOLDER);
  const here = join(root, watch.boot);
  const journals = new Map<string, Promise<FileJournal>>();
  let letting: Promise<void> | null = null;
  /** Letting through, throwing away and erasing, one after another. */
  const serial = createSerial();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  /** When a device was last asked. */
  const asked = new Map<string, number>();
  let stop = () => {};
  let aside = 0;

  function journalOf(tenant: string): Promise<FileJournal> {
    let journal = journals.get(tenant);
    if (!journal) {
      journal = openJournal({ dir: join(here, tenant), max_bytes: deps.max_bytes, segment_bytes: SEGMENT_BYTES });
      journals.set(tenant, journal);
      journal.catch(() => journals.delete(tenant));
    }
    return journal;
  }

  const intake: Intake = async (group) => {
    const trusted = watch.trusted();
    tellTime(group);
    if (trusted && watch.trusted()) return deps.intake(inTime(group));
    const now_ms = watch.clock.now();
    const held = group.readings.filter((one) => isStamped(group, one) || one.at_ms > now_ms + CLOCK_ALLOWANCE_MS);
    if (held.length === 0) return deps.intake(group);
    const rest = group.readings.filter((one) => !held.includes(one));
    const mono_ms = watch.monoOf(group.received_ms);
    const readings = held.map((one) => (isStamped(group, one) ? { ...one, at_ms: -1 - watch.monoOf(one.at_ms) } : one));
    await (await journalOf(group.tenant)).append([{ ...group, received_ms: mono_ms, readings }]);
    const outcome: IntakeOutcome =
      rest.length > 0 ? await deps.intake({ ...group, readings: rest }) : { accepted: 0, flagged: 0, rejected: [] };
    if (watch.trusted()) letThrough();
    const rejected = outcome.rejected.map((one) => ({ ...one, index: group.readings.indexOf(rest[one.index]!) }));
    return { ...outcome, accepted: outcome.accepted + held.length, rejected };
  };

  /** What a device says about the time with a reading that it took just now. */
  function tellTime(group: ReadingGroup): void {
    if (group.device === null || group.source === 'modbus') return;
    const name = `${group.tenant} ${group.device}`;
    const now = performance.now();
    if (now - (asked.get(name) ?? Number.NEGATIVE_INFINITY) < ASK_EVERY_MS) return;
    asked.set(name, now);
    const own = group.readings.find((one) => !isStamped(group, one));
    if (own) watch.witness(`device ${name}`, 'device', own.at_ms);
  }

  /** Stamped before the clock was set right, handed in after. */
  function inTime(group: ReadingGroup): ReadingGroup {
    const received_ms = watch.corrected(group.received_ms);
    if (received_ms === group.received_ms) return group;
    const readings = group.readings.map((one) =>
      isStamped(group, one) ? { ...one, at_ms: watch.corrected(one.at_ms) } : one,
    );
    return { ...group, received_ms, readings };
  }

  /** Everything whose time is known, oldest first; again after a failure. */
  function letThrough(): void {
    letting ??= serial(letAll)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'readings wait for their time; trying again');
        if (!closed) timer = setTimeout(letThrough, AGAIN_MS).unref();
      })
      .finally(() => {
        letting = null;
      });
  }

  async function countAside(): Promise<void> {
    let count = 0;
    for (const boot of await names(root)) {
      if (boot === watch.boot) continue;
      for (const tenant of await names(join(root, boot))) count += (await heldOf(boot, tenant))?.readings ?? 0;
    }
    aside = count;
  }

  async function letAll(): Promise<void> {
    await countAside();
    if (!watch.trusted()) return;
    for (const boot of await names(root)) {
      const dir = join(root, boot);
      const tenants = await names(dir);
      if (tenants.length === 0) continue;
      const offset_ms = await offsetFor(boot, dir);
      if (offset_ms === null) continue;
      for (const tenant of tenants)
        await letTenant(boot, tenant, offset_ms, boot === watch.boot ? watch.trusted : () => true);
    }
  }

  /** Written down before it is used, so that what is let through twice gets the same time twice. */
  async function offsetFor(boot: string, dir: string): Promise<number | null> {
    const text = await readFile(join(dir, OFFSET_FILE), 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { offset_ms: number }).offset_ms;
    if (boot !== watch.boot) return null;
    const offset_ms = Math.round(-watch.monoOf(0));
    await writeOffset(dir, offset_ms);
    return offset_ms;
  }

  async function letTenant(boot: string, tenant: string, offset_ms: number, may: () => boolean): Promise<number> {
    const journal = boot === watch.boot ? await journalOf(tenant) : await openFor(boot, tenant);
    const dir = join(root, boot, tenant);
    const reader = await openJournalReader(dir);
    let count = 0;
    try {
      let seq = journal.stats().released_seq;
      const leftOf = await readErasures(dir, seq);
      while (may()) {
        const groups = await reader.read(seq, BATCH_BYTES);
        const last = groups.at(-1);
        if (!last) break;
        for (const group of groups) {
          const readings = leftOf(group);
          if (readings.length > 0) await letOne(stamped({ ...group, readings }, offset_ms));
          count += readings.length;
        }
        seq = last.seq;
        await journal.release(seq);
      }
    } finally {
      await reader.close();
      if (boot !== watch.boot) await journal.close();
    }
    if (count > 0) log.info({ tenant_id: tenant, readings: count, boot }, 'held readings got their time');
    if (boot !== watch.boot) await rm(dir, { recursive: true, force: true });
    return count;
  }

  /** Its sender was told that it was kept: what is refused now is put aside with the reason, for a person to look at. */
  async function letOne(group: ReadingGroup): Promise<void> {
    const { rejected } = await deps.intake(group);
    if (rejected.length === 0) return;
    const readings = rejected.map(({ index }) => group.readings[index]!);
    const reason = [...new Set(rejected.map(({ problem }) => problem))].join(' ');
    log.warn(
      { tenant_id: group.tenant, readings: readings.length, reason },
      'held readings were refused and put aside',
    );
    const refused_ms = Math.round(watch.clock.now());
    await buryGroup(deadLetterFolder(home), { ...group, seq: NOT_JOURNALLED, readings }, { reason, refused_ms });
  }

  const openFor = (boot: string, tenant: string) =>
    openJournal({ dir: join(root, boot, tenant), max_bytes: deps.max_bytes, segment_bytes: SEGMENT_BYTES });

  async function heldOf(boot: string, tenant: string): Promise<HeldReadings | null> {
    const journal = boot === watch.boot ? await journalOf(tenant) : await openFor(boot, tenant);
    const { released_seq } = journal.stats();
    if (boot !== watch.boot) await journal.close();
    const dir = join(root, boot, tenant);
    const leftOf = await readErasures(dir, released_seq);
    const reader = await openJournalReader(dir);
    const found = { boot, current: boot === watch.boot, readings: 0, first_mono_ms: Infinity, last_mono_ms: -Infinity };
    for (let seq = released_seq; ; ) {
      const groups = await reader.read(seq, BATCH_BYTES);
      if (groups.length === 0) break;
      for (const group of groups) {
        const { received_ms } = group;
        const left = leftOf(group).length;
        if (left === 0) continue;
        found.readings += left;
        found.first_mono_ms = Math.min(found.first_mono_ms, received_ms);
        found.last_mono_ms = Math.max(found.last_mono_ms, received_ms);
      }
      seq = groups.at(-1)!.seq;
    }
    await reader.close();
    return found.readings > 0 ? found : null;
  }

  async function eraseHeld(boot: string, tenant: string, meters: readonly string[] | null): Promise<void> {
    const erasure = erasureOf(tenant, meters, watch.monoOf(watch.clock.now()));
    if (boot === watch.boot) {
      await (await journalOf(tenant)).append([erasure]);
      return;
    }
    const journal = await openFor(boot, tenant);
    await journal.append([erasure]).finally(() => journal.close());
    if ((await heldOf(boot, tenant)) === null) await rm(join(root, boot, tenant), { recursive: true, force: true });
  }

  /** Of an earlier start, so that nothing of it is under way. */
  async function earlier(tenant: string, boot: string): Promise<HeldReadings> {
    const known =
      boot !== watch.boot && (await names(root)).includes(boot) && (await names(join(root, boot))).includes(tenant);
    const held = known ? await heldOf(boot, tenant) : null;
    if (held) return held;
    throw new NotFoundError('No readings of such a start of the box are set aside.', './luna clock lists them.');
  }

  return {
    intake,
    aside: () => aside,
    async held(tenant) {
      const found: HeldReadings[] = [];
      for (const boot of await names(root))
        if ((await names(join(root, boot))).includes(tenant)) {
          const held = await heldOf(boot, tenant);
          if (held) found.push(held);
        }
      return found;
    },
    release: (tenant, boot, first_ms) =>
      serial(async () => {
        const { first_mono_ms } = await earlier(tenant, boot);
        return { readings: await letTenant(boot, tenant, Math.round(first_ms - first_mono_ms), () => true) };
      }),
    discard: (tenant, boot) =>
      serial(async () => {
        const { readings } = await earlier(tenant, boot);
        await rm(join(root, boot, tenant), { recursive: true, force: true });
        return { readings };
      }),
    erase: (tenant, meters) =>
      serial(async () => {
        for (const boot of await names(root))
          if ((await names(join(root, boot))).includes(tenant)) await eraseHeld(boot, tenant, meters);
      }),
    start() {
      stop = watch.onChange(({ trusted }) => {
        if (trusted) letThrough();
        // What is held from now on may need another one.
        else void rm(join(here, OFFSET_FILE), { force: true }).catch(() => undefined);
      });
      letThrough();
    },
    async close() {
      closed = true;
      stop();
      if (timer) clearTimeout(timer);
      await letting;
      for (const journal of journals.values()) await (await journal).close();
      journals.clear();
    },
  };
}

function isStamped({ received_ms, source }: ReadingGroup, { at_ms }: Reading): boolean {
  if (at_ms === received_ms) return true;
  return POLLED.has(source) && at_ms <= received_ms && at_ms > received_ms - POLLED_MS;
}

/** The group with the times that it would have got. */
function stamped({ seq: _, ...group }: JournalledGroup, offset_ms: number): ReadingGroup {
  return {
    ...group,
    received_ms: Math.round(group.received_ms + offset_ms),
    readings: group.readings.map((one) =>
      one.at_ms < 0 ? { ...one, at_ms: Math.round(-1 - one.at_ms + offset_ms) } : one,
    ),
  };
}

async function writeOffset(dir: string, offset_ms: number): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeWhole(diskFiles, dir, join(dir, OFFSET_FILE), [Buffer.from(JSON.stringify({ offset_ms }))]);
}

/** Folders in a folder. */
async function names(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
