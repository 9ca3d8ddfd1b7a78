// @ts-check
/** What every page does in the browser: ages that count, the notice of a lost connection, and closing menus. */

const root = document.documentElement;
const NBSP = '\u00a0';

/** How the server says an age, so that counting on looks the same. @param {number} ms */
function ageText(ms) {
  if (ms < 60_000) return `${Math.max(0, Math.floor(ms / 1000))}${NBSP}s`;
  if (ms < 90 * 60_000) return `${Math.floor(ms / 60_000)}${NBSP}min`;
  return null;
}

/** The box's clock minus ours: a wall screen's clock may be wrong. */
const clockAhead_ms = Number(root.dataset.now) - Date.now();

function countAges() {
  const now = Date.now() + clockAhead_ms;
  for (const element of document.querySelectorAll('[data-age]')) {
    const age_ms = now - Number(/** @type {HTMLElement} */ (element).dataset.age);
    const text = ageText(age_ms);
    if (text === null || age_ms < 1000) continue;
    const said = (root.dataset.ago ?? '{age}').replace('{age}', text);
    if (element.textContent !== said) element.textContent = said;
  }
}
setInterval(countAges, 1000);

const notice = document.getElementById('connection');
/** @type {ReturnType<typeof setTimeout> | undefined} */
let lost;

/** Said once and only after a moment: a reload or a short break is no news. */
function connectionLost() {
  if (lost || !notice) return;
  const since = new Date();
  lost = setTimeout(() => {
    const zone = root.dataset.zone;
    const time = since.toLocaleTimeString(root.lang, { hour: '2-digit', minute: '2-digit', timeZone: zone });
    const text = notice.querySelector('p');
    if (text) text.textContent = (notice.dataset.text ?? '').replace('{time}', time);
    notice.hidden = false;
  }, 2500);
}

function connectionBack() {
  clearTimeout(lost);
  lost = undefined;
  if (notice) notice.hidden = true;
}

document.addEventListener('htmx:sseError', connectionLost);
document.addEventListener('htmx:sseOpen', connectionBack);
document.addEventListener('htmx:sendError', connectionLost);
/** An open menu of the bottom bar closes on Escape and on a touch elsewhere. */
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of document.querySelectorAll('details.more[open]')) menu.removeAttribute('open');
});
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.more[open]'))
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute('open');
});

/** A form whose choice takes effect at once; without JavaScript it has a button. */
document.addEventListener('change', (event) => {
  const form = event.target instanceof Element ? event.target.closest('form[data-submit-on-change]') : null;
  if (form instanceof HTMLFormElement) form.requestSubmit();
});
