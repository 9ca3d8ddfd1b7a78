/**
 * `GET /stream?page=…`: keeps an open page alive. Each region of the page is an event whose data is its new HTML, sent
 * when it differs from what was sent before. It begins with everything, so that a page which lost the connection is
 * right again. What is live never waits for what is slow: that is gathered beside it and sent when it is there.
 */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { slotStart } from '../../engine/model/time.ts';
import type { LunaEvent } from '../../engine/ports.ts';
import type { Html, Ui } from '../../web/ui.ts';
import type { Actor } from '../services.ts';
import type { Env } from './api.ts';
import { type PageDeps, readerOf, signedIn, uiOf } from './pages/page.ts';

type Regions = Promise<Record<string, Html>>;

export type LiveView = {
  /** Regions that follow readings and time; asked at most once a second. `query` is that of the stream. */
  fast(actor: Actor, ui: Ui, query: URLSearchParams): Regions;
  /** Regions that follow slots, prices, forecasts and the like. */
  slow?(actor: Actor, ui: Ui, query: URLSearchParams): Regions;
  /** Whether an event concerns the slow regions; readings and devices always concern the fast ones. */
  isSlow?(event: LunaEvent): boolean;
  /** Whether the slow regions also change when a slot begins. */
  slowEverySlot?: boolean;
};

const LEAST_MS = 1_000;
/** Ages and "now" lines move without any event too. */
const TICK_MS = 15_000;
/** More open pages than this are refused, so that a runaway script cannot use up the box. */
const MOST_STREAMS = 200;
/** The same for one person, who must not take the place of all others. */
const MOST_OF_ONE = 20;

/** The route; `views` by the name that pages give in `live`. */
export function createStream(deps: PageDeps, views: Readonly<Record<string, LiveView>>) {
  const app = new Hono<Env>();
  const open = createSeats();
  app.get('/stream', signedIn(deps), (c) => {
    const query = new URL(c.req.url).searchParams;
    const view = views[query.get('page') ?? ''];
    if (!view) return c.text('This page has no live view.', 404);
    const [ui, actor] = [uiOf(deps, c), readerOf(c)];
    const full = open.refusal(actor);
    if (full) return c.text('Too many open pages; close some.', full, { 'retry-after': '30' });
    const isAllowed = rightsOf(actor, c.get('actor_now'));
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      const leave = open.take(actor);
      const wake = createWake();
      const stop = deps.services.bus.subscribe((event) => noticed(event, actor, view, wake));
      stream.onAbort(() => wake.end());
      try {
        await feed({
          ...{ deps, view, ui, actor, query, wake, isAllowed },
          send: (event, data) => stream.writeSSE({ event, data }),
        });
      } finally {
        stop();
        leave();
      }
    });
  });
  return app;
}

function noticed(event: LunaEvent, actor: Actor, view: LiveView, wake: Wake): void {
  if (event.tenant !== null && event.tenant !== actor.tenant) return;
  if (view.isSlow?.(event)) wake.up('slow');
  else if (event.type === 'readings' || event.type === 'device') wake.up('fast');
}

type Feed = {
  deps: PageDeps;
  view: LiveView;
  ui: Ui;
  actor: Actor;
  query: URLSearchParams;
  wake: Wake;
  isAllowed: () => Promise<boolean>;
  send: (event: string, data: string) => Promise<void>;
};

/** Sends until the reader leaves or loses the right. A failure is logged and the next turn tries again. */
async function feed({ deps, view, ui, actor, query, wake, isAllowed, send }: Feed): Promise<void> {
  const sent = new Map<string, string>();
  const sendNew = async (regions: Record<string, Html>) => {
    for (const [name, part] of Object.entries(regions)) {
      const text = String(await part);
      if (wake.isOver() || sent.get(name) === text) continue;
      sent.set(name, text);
      await send(name, text);
    }
  };
  const failed = (error: unknown) =>
    deps.services.log.warn({ err: error, page: query.get('page') }, 'a live page could not be updated');
  const slow = createSlowFeed(async (now) => {
    const regions = (await view.slow?.(actor, now, query)) ?? {};
    if (await isAllowed()) await sendNew(regions);
  }, failed);
  let isSlow = true;
  let slot = slotStart(deps.services.clock.now());
  while (!wake.isOver()) {
    const now = { ...ui, now_ms: deps.services.clock.now() };
    try {
      if (!(await isAllowed())) return wake.end();
      if (isSlow) slow.ask(now);
      await sendNew(await view.fast(actor, now, query));
      await send('clock', String(now.now_ms));
    } catch (error) {
      failed(error);
    }
    ({ isSlow } = await wake.next());
    const next_slot = slotStart(deps.services.clock.now());
    if (view.slowEverySlot && next_slot !== slot) isSlow = true;
    slot = next_slot;
  }
}

/** One at a time; what is asked for meanwhile is done once afterwards. */
function createSlowFeed(work: (now: Ui) => Promise<void>, failed: (error: unknown) => void): { ask(now: Ui): void } {
  let next: Ui | null = null;
  let running = false;
  const run = async () => {
    running = true;
    for (let now = next; now; now = next) {
      next = null;
      await work(now).catch(failed);
    }
    running = false;
  };
  return {
    ask(now) {
      next = now;
      if (!running) void run();
    },
  };
}

/** Whether the reader still is who opened the page, with the same role; asked at every turn (the service remembers for 5 s). */
function rightsOf(actor: Actor, now: (() => Promise<Actor | null>) | undefined): () => Promise<boolean> {
  return async () => {
    const same = now ? await now() : actor;
    return same !== null && same.tenant === actor.tenant && same.person === actor.person && same.role === actor.role;
  };
}

function createSeats() {
  const taken = new Map<string, number>();
  let all = 0;
  const keyOf = ({ tenant, person }: Actor) => JSON.stringify([tenant, person]);
  return {
    /** The status that refuses one more stream, or null. */
    refusal(actor: Actor): 429 | 503 | null {
      if ((taken.get(keyOf(actor)) ?? 0) >= MOST_OF_ONE) return 429;
      return all >= MOST_STREAMS ? 503 : null;
    },
    /** @returns the function that gives the seat back. */
    take(actor: Actor): () => void {
      const key = keyOf(actor);
      taken.set(key, (taken.get(key) ?? 0) + 1);
      all++;
      return () => {
        const left = (taken.get(key) ?? 1) - 1;
        if (left > 0) taken.set(key, left);
        else taken.delete(key);
        all--;
      };
    },
  };
}

type Need = 'fast' | 'slow';
type Wake = {
  up(need: Need): void;
  end(): void;
  isOver(): boolean;
  /** Resolves at the next need or tick, but not before LEAST_MS have passed. */
  next(): Promise<{ isSlow: boolean }>;
};

function createWake(): Wake {
  const needs = new Set<Need>();
  let isOver = false;
  let isResting = false;
  let ring = () => {};
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    up(need) {
      needs.add(need);
      if (!isResting) ring();
    },
    end() {
      isOver = true;
      ring();
    },
    isOver: () => isOver,
    async next() {
      isResting = true;
      if (!isOver) await pause(LEAST_MS);
      isResting = false;
      if (needs.size === 0 && !isOver) await pause(TICK_MS - LEAST_MS);
      const isSlow = needs.has('slow');
      needs.clear();
      return { isSlow };
    },
  };
}
