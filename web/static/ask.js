// @ts-check
/**
 * Asks without leaving the page: the answer grows sentence by sentence and can be stopped. The box sends each piece as
 * finished HTML in which everything that people or documents say is escaped. Enter asks, Shift+Enter makes a new line.
 */
const form = /** @type {HTMLFormElement} */ (document.querySelector('form.ask'));
const answers = /** @type {HTMLElement} */ (document.getElementById('answer'));
const question = /** @type {HTMLTextAreaElement} */ (document.getElementById('question'));
/** @type {AbortController | null} */
let running = null;

question?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  question.form?.requestSubmit();
});

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  if (question.value.trim() !== '') void ask(new FormData(form));
});

document.addEventListener('click', (event) => {
  if (event.target instanceof Element && event.target.closest('[data-stop]')) stop();
});

function stop() {
  running?.abort();
  running = null;
}

/** @param {FormData} fields */
async function ask(fields) {
  stop();
  const mine = new AbortController();
  running = mine;
  const body = new URLSearchParams(/** @type {any} */ (fields));
  question.value = '';
  const place = createPlace();
  try {
    const headers = { accept: 'text/event-stream' };
    const response = await fetch('/ask', { method: 'POST', body, headers, signal: mine.signal });
    const leads = response.headers.get('hx-redirect');
    if (leads || response.redirected) return location.assign(leads ?? response.url);
    if (!response.ok || !response.body) throw new Error(String(response.status));
    for await (const { event, data } of eventsOf(response.body)) place.take(event, data);
    if (!place.isDone()) throw new Error('cut off');
  } catch {
    const stopped = mine.signal.aborted;
    place.end((stopped ? form.dataset.stopped : form.dataset.failed) ?? '');
    if (!stopped && question.value === '') question.value = String(fields.get('question') ?? '');
  } finally {
    if (running === mine) running = null;
  }
}

/** Where the pieces of one answer go. */
function createPlace() {
  /** @type {HTMLElement | null} */
  let turn = null;
  let done = false;
  const part = (/** @type {string} */ name) => turn?.querySelector(name);
  return {
    isDone: () => done,
    /** @param {string} event @param {string} html */
    take(event, html) {
      if (event === 'turn') {
        answers.insertAdjacentHTML('beforeend', html);
        turn = /** @type {HTMLElement} */ (answers.lastElementChild);
        turn.scrollIntoView({ block: 'nearest' });
        asFollowUp();
      } else if (event === 'read') part('.read')?.replaceChildren(fragment(html));
      else if (event === 'sentence') part('.sentences')?.append(fragment(html));
      else if (event === 'quote') part('.quotes')?.append(fragment(html));
      else if (event === 'conversation') keepConversation(html);
      else if (event === 'done') {
        const fresh = /** @type {HTMLElement} */ (fragment(html).firstElementChild);
        turn?.replaceWith(fresh);
        turn = fresh;
        done = true;
        settle(fresh);
      }
    },
    /** What has been written stays. @param {string} words */
    end(words) {
      const line = part('.working');
      if (!line) return;
      line.classList.remove('working');
      line.textContent = words;
    },
  };
}

/** The first answer makes a conversation of the page: the field below asks on. */
function asFollowUp() {
  const label = /** @type {HTMLElement | null} */ (document.querySelector('label[for=question]'));
  if (label?.dataset.followUp) label.textContent = label.dataset.followUp;
  document.getElementById('recent')?.remove();
}

/** So that a reload shows the same conversation. @param {string} id */
function keepConversation(id) {
  const field = form.elements.namedItem('conversation');
  if (field instanceof HTMLInputElement) field.value = id;
  const actions = document.getElementById('conversation-actions');
  actions?.removeAttribute('hidden');
  actions?.querySelector('a')?.setAttribute('href', `/ask/conversations/${encodeURIComponent(id)}/export`);
  history.replaceState(null, '', `/ask?conversation=${encodeURIComponent(id)}`);
}

/** @param {HTMLElement} turn */
function settle(turn) {
  for (const button of turn.querySelectorAll('button[data-copy]')) button.removeAttribute('hidden');
  const { htmx } = /** @type {any} */ (window);
  htmx?.process(turn);
}

/** @param {string} html */
function fragment(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content;
}

/**
 * Events of a stream, as EventSource would give them (which cannot POST).
 * @param {ReadableStream<Uint8Array>} stream
 */
async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const event =
        lines
          .find((line) => line.startsWith('event:'))
          ?.slice(6)
          .trim() ?? 'message';
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''));
      yield { event, data: data.join('\n') };
    }
  }
}
