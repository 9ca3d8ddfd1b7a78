/** The whole box on a damaged journal: what reaches its series store, and whether it says which file it was. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { JournalledGroup } from '../../../engine/model/reading.ts';
import { makeHome, makeKey, makeSite, type RunningBox, removeHome, startBox } from '../load/box.ts';
import { drained } from '../load/compare.ts';
import { damaged, type Flip, type FlipOutcome, type Sample, writeFolder } from './folder.ts';

/** The box looks after its stores every five seconds. */
const ALERT_MS = 60_000;

export type DamagedBox = {
  /** Starts on the damaged journal with an empty series store, waits until it is drained, and looks at what came. */
  startWith(sample: Sample, flip: Flip): Promise<FlipOutcome>;
  remove(): Promise<void>;
};

/** @param prepare puts into the new home what makes its first start quick */
export async function openDamagedBox(prepare: (home: string) => Promise<void> = async () => {}): Promise<DamagedBox> {
  const home = await makeHome();
  await prepare(home);
  const first = await startBox(home);
  const key = await makeKey(home);
  await makeSite(first.url, key);
  await first.stop();
  const journal = join(home, 'journal');
  return {
    async startWith(sample, flip) {
      // The store of the last start knows numbers of another journal.
      for (const name of await readdir(home))
        if (/^(series\.duckdb|counts)/.test(name)) await rm(join(home, name), { recursive: true });
      await writeFolder(journal, damaged(sample.folder, flip));
      const box = await startBox(home);
      let told: string[];
      try {
        await drained(box.url, key);
        told = await alertsOf(box, key, await setAsideIn(journal));
      } finally {
        await box.stop();
      }
      return { ...(await look(home, sample, flip, told)), start_s: box.start_s };
    },
    remove: () => removeHome(home),
  };
}

async function setAsideIn(journal: string): Promise<string[]> {
  return (await readdir(journal)).filter((name) => name.endsWith('.quarantined'));
}

/** Waits for the alerts of what was set aside. @returns the files that alerts name */
async function alertsOf(box: RunningBox, key: string, aside: readonly string[]): Promise<string[]> {
  for (const end = performance.now() + ALERT_MS; ; await sleep(200)) {
    const answer = await fetch(`${box.url}/api/v1/alerts?open=true`, { headers: { authorization: `Bearer ${key}` } });
    const { alerts } = (await answer.json()) as { alerts: { kind: string; object: string }[] };
    const told = alerts.filter(({ kind }) => kind === 'journal_quarantine').map(({ object }) => object);
    if (aside.every((name) => told.includes(name))) return told.filter((name) => aside.includes(name));
    if (performance.now() > end) throw new Error(`no alert names ${aside.join(', ')}: ${told.join(', ') || 'nothing'}`);
  }
}

async function look(home: string, { records }: Sample, flip: Flip, told: readonly string[]) {
  const series = await openDuckDbSeries({ file: join(home, 'series.duckdb'), memory: '256MB' });
  const stored = new Map<string, number>();
  try {
    for (const { meter, quantity } of await series.list('default')) {
      const all = await series.readings.read('default', { meter, quantity, from_ms: 0, to_ms: 8e15 });
      for (const [i, at_ms] of all.at_ms.entries()) {
        const name = `${meter} ${quantity} ${at_ms}`;
        if (stored.has(name)) throw new Error(`the reading ${name} is there twice`);
        stored.set(name, all.values[i]!);
      }
    }
  } finally {
    await series.close();
  }
  const owned = [...records.values()].map(({ text, segment }) => ({
    segment,
    readings: (JSON.parse(text) as JournalledGroup).readings,
  }));
  const lost = owned.filter(({ readings }) =>
    readings.some(({ meter, quantity, at_ms, value }) => stored.get(`${meter} ${quantity} ${at_ms}`) !== value),
  );
  const known = new Set(
    owned.flatMap(({ readings }) => readings.map((one) => `${one.meter} ${one.quantity} ${one.at_ms}`)),
  );
  const invented = [...stored.keys()].filter((name) => !known.has(name)).length;
  const outside = lost.filter(({ segment }) => segment !== flip.file).length;
  return {
    lost_outside_segment: outside + invented,
    lost_inside: lost.length - outside,
    unnamed: lost.length > outside && !told.some((name) => name.startsWith(flip.file)),
  };
}
