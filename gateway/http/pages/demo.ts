/** `POST /demo/start` and `/demo/stop`: the made-up building comes and goes without trace. */
import { createPageApp, csrfChecked, type PageDeps, readerOf, signedIn } from './page.ts';

export function createDemoPages(deps: PageDeps) {
  const { demo, site } = deps.services;
  const app = createPageApp();
  app.post('/demo/start', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await demo.start(readerOf(c));
    return c.redirect('/', 303);
  });
  app.post('/demo/stop', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    await demo.stop(actor);
    // Without a site there is nothing to look at yet.
    return c.redirect(site.get(actor.tenant) ? '/' : '/setup', 303);
  });
  return app;
}
