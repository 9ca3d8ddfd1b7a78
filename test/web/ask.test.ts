import { describe, expect, it } from 'vitest';
import type { Services } from '../../gateway/services.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

const form = (fields: Record<string, string>) => ({
  method: 'POST',
  body: new URLSearchParams({ _csrf: CSRF, ...fields }),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** The events of an answer: name and HTML. */
async function asked(services: Services, question: string): Promise<{ event: string; data: string }[]> {
  const answer = await createSampleApp(services).request('/ask', form({ question }));
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const blocks = (await answer.text()).split('\n\n').filter(Boolean);
  return blocks.map((block) => {
    const lines = block.split('\n');
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim());
    return {
      event:
        lines
          .find((line) => line.startsWith('event:'))
          ?.slice(6)
          .trim() ?? '',
      data: data.join('\n'),
    };
  });
}

describe('asking piece by piece', () => {
  it('refuses a day that is none before it begins', async () => {
    const sent = form({ question: 'Which power?', as_of: 'yesterday' });
    const answer = await createSampleApp(createSampleServices()).request('/ask', sent);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('is no day')]);
  });

  it('tells what is read before the first sentence, and ends with the whole answer', async () => {
    const told = await asked(createSampleServices(), 'Which power?');
    expect(told.map(({ event }) => event)).toEqual([
      ...['turn', 'conversation', 'read', 'sentence', 'quote', 'sentence', 'quote', 'conversation', 'done'],
    ]);
    expect(told.at(-1)?.data).toMatch(/data-status="answered".*4\.2 kilowatts.*<sup>.*#quote-a1-1/s);
    expect(told.at(-1)?.data).toContain('/documents/d1?version=2026-01-01&amp;quote=');
  });

  it('says that the documents do not say it, with the nearest passages', async () => {
    const last = (await asked(createSampleServices(), 'How high is the tax?')).at(-1);
    expect(last?.data).toMatch(/data-status="abstained".*The documents do not say.*Network-oriented control/s);
    expect(last?.data).not.toContain('class="sentence"');
  });

  it('a service that fails ends in words, with the question kept', async () => {
    const services = createSampleServices();
    services.answers.ask = async () => {
      throw new Error('secret of the database');
    };
    const last = (await asked(services, 'Which power?')).at(-1);
    expect(last).toMatchObject({ event: 'done', data: expect.stringContaining('data-status="failed"') });
    expect(last?.data).not.toContain('secret');
  });

  it('whatever people and documents say stays text: nothing of it becomes markup, an image or a script', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'>';
    const services = createSampleServices();
    const { ask } = services.answers;
    services.answers.ask = async (actor, request, watch) => {
      const answer = await ask(actor, request, watch);
      const place = { ...answer.nearest[0]!, document: evil, document_title: evil, version: evil, section: evil };
      const citation = { ...place, quote: evil, start: 0, end: 1 };
      const figure = { title: evil, href: '/prices', quote: evil };
      const sentences = [{ text: evil, citations: [citation], figures: [figure] }];
      const asking = { text: evil, options: [{ id: evil, label: evil }] };
      return { ...answer, question: evil, sentences, model: evil, asking, proposed_task: { title: evil } };
    };
    const told = await asked(services, evil);
    for (const { data } of told) expect(data).not.toMatch(/<(?:img|script)|\son\w+=[^"&]*alert\(1\)>/i);
    expect(told.at(-1)?.data).toContain('&lt;script&gt;');
  });

  it('refuses a question without the token of the session', async () => {
    const answer = await createSampleApp(createSampleServices()).request(
      '/ask',
      form({ question: 'x', _csrf: 'none' }),
    );
    expect(answer.status).toBe(403);
  });
});

describe('conversations', () => {
  it('are shown again, taken along as a file and removed', async () => {
    const app = createSampleApp(createSampleServices());
    const page = await (await app.request('/ask?conversation=c0')).text();
    expect(page.match(/<article/g)).toHaveLength(2);
    expect(page).toContain('/ask/conversations/c0/export');
    const file = await app.request('/ask/conversations/c0/export');
    expect(file.headers.get('content-type')).toContain('text/markdown');
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="luna-2026-06-17.md"');
    expect((await app.request('/ask/conversations/c0/remove', form({}))).headers.get('location')).toBe('/ask');
    expect((await app.request('/ask?conversation=c9')).status).toBe(404);
  });

  it('keeps whether an answer helped, and makes a task only when somebody confirms it', async () => {
    const services = createSampleServices();
    const app = createSampleApp(services);
    const htmx = (path: string, fields: Record<string, string>) => {
      const request = form(fields);
      return app.request(path, { ...request, headers: { ...request.headers, 'hx-request': 'true' } });
    };
    const shown = async () => (await app.request('/ask?conversation=c0')).text();
    expect((await shown()).match(/value="useful" aria-pressed="true"/g)).toBeNull();
    expect(await (await htmx('/ask/answers/a0/feedback', { feedback: 'useful' })).text()).toContain('Thank you');
    // Shown again, it is as it was left.
    expect((await shown()).match(/value="useful" aria-pressed="true"/g)).toHaveLength(1);
    expect(await (await htmx('/ask/answers/a0/task', {})).text()).toContain('Task made');
    expect(await (await htmx('/ask/answers/a1/resume', { choice: 'd1' })).text()).toContain('data-status="answered"');
  });
});

describe('the page of admins about answers', () => {
  it('shows what was measured against what is wanted, what fell, and the glossary', async () => {
    const page = await (await createSampleApp(createSampleServices()).request('/admin/regulation')).text();
    expect(page).toMatch(/the right section is among the first five.*?86.%.*?≥.85.%/s);
    expect(page).toMatch(/answered from the right section.*?84\.2.%.*?≥.85.%/s);
    expect(page).toContain('Worse than the time before');
    expect(page).toContain('<b>Netzrabatt</b> → reduziertes Netzentgelt');
    expect(page).toContain('44\u00a0%');
  });

  it('keeps words and questions, and says which line is no question', async () => {
    const services = createSampleServices();
    const kept: unknown[] = [];
    services.retrieval.saveGlossaryEntry = async (_, entry) => void kept.push(entry);
    services.retrieval.removeGlossaryEntry = async (_, language, lay) => void kept.push([language, lay]);
    services.retrieval.saveGoldenSet = async (_, name, questions) => void kept.push([name, questions]);
    const app = createSampleApp(services);
    const post = (path: string, fields: Record<string, string>) =>
      app.request(`/admin/regulation${path}`, form(fields));
    await post('/glossary', { lay: ' Netzgebühr ', legal: 'Netzentgelt; Entgelt für den Netzzugang;', language: 'de' });
    await post('/glossary/remove', { remove: 'de Gebühren fürs Netz' });
    const line = { question: 'Was ist eine Kundenanlage?', document: 'EnWG', section: '§ 3', class: 'definition' };
    await post('/golden', { name: 'Unsere', golden: `${JSON.stringify(line)}\n\n{"question":"Wer ist Präsident?"}\n` });
    expect(kept).toEqual([
      { lay: 'Netzgebühr', legal: ['Netzentgelt', 'Entgelt für den Netzzugang'], language: 'de' },
      ['de', 'Gebühren fürs Netz'],
      ['Unsere', [line, { question: 'Wer ist Präsident?', document: null, section: null }]],
    ]);
    const refused = await post('/golden', { name: 'Unsere', golden: `${JSON.stringify(line)}\n{"question": 3}` });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('Line 2 is no question')]);
    expect((await post('/glossary', { lay: '', legal: '' })).status).toBe(400);
    expect((await createSampleApp(services, { role: 'user' }).request('/admin/regulation')).status).toBe(403);
  });
});
