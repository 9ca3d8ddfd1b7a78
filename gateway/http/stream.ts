/**
 * `GET /stream?page=…`: keeps an open page alive. Each region of the page is an event whose data is its new HTML, sent
 * when it differs from what was sent before. The first message holds everything, so that a page which lost the
 * connection is right again at once.
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

/** The route; `views` by the name that pages give in `live`. */
export function createStream(deps: PageDeps, views: Readonly<Record<string, LiveView>>) {
  const app = new Hono<Env>();
  let open = 0;
  app.get('/stream', signedIn(deps), (c) => {
    const query = new URL(c.req.url).searchParams;
    const view = views[query.get('page') ?? ''];
    if (!view) return c.text('This page has no live view.', 404);
    if (open >= MOST_STREAMS) return c.text('Too many open pages; close some.', 503, { 'retry-after': '30' });
    const [ui, actor] = [uiOf(deps, c), readerOf(c)];
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      open++;
      const wake = createWake();
      const stop = deps.services.bus.subscribe((event) => noticed(event, actor, view, wake));
      stream.onAbort(() => wake.end());
      try {
        await feed({ deps, view, ui, actor, query, wake, send: (event, data) => stream.writeSSE({ event, data }) });
      } finally {
        stop();
        open--;
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
  send: (event: string, data: string) => Promise<void>;
};

/** Sends until the reader leaves. A failure is logged and the next turn tries again. */
async function feed({ deps, view, ui, actor, query, wake, send }: Feed): Promise<void> {
  const sent = new Map<string, string>();
  let isSlow = true;
  let slot = slotStart(deps.services.clock.now());
  while (!wake.isOver()) {
    const now = { ...ui, now_ms: deps.services.clock.now() };
    try {
      const regions = {
        ...(isSlow ? await view.slow?.(actor, now, query) : {}),
        ...(await view.fast(actor, now, query)),
      };
      for (const [name, part] of Object.entries(regions)) {
        const text = String(await part);
        if (sent.get(name) === text) continue;
        await send(name, text);
        sent.set(name, text);
      }
      await send('clock', String(now.now_ms));
    } catch (error) {
      deps.services.log.warn({ err: error, page: query.get('page') }, 'a live page could not be updated');
    }
    ({ isSlow } = await wake.next());
    const next_slot = slotStart(deps.services.clock.now());
    if (view.slowEverySlot && next_slot !== slot) isSlow = true;
    slot = next_slot;
  }
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
