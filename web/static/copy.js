// @ts-check
/** Buttons that copy what stands beside them. Without JavaScript there are none, and the text can be selected. */
for (const button of document.querySelectorAll('button[data-copy]')) button.removeAttribute('hidden');

document.addEventListener('click', async (event) => {
  const button = event.target instanceof Element ? event.target.closest('button[data-copy]') : null;
  if (!(button instanceof HTMLButtonElement)) return;
  const words = button.querySelector('span');
  if (!words || !(await copy(button.dataset.copy ?? ''))) return;
  const before = words.textContent;
  words.textContent = button.dataset.copied ?? '';
  button.setAttribute('aria-live', 'polite');
  setTimeout(() => {
    words.textContent = before;
  }, 2000);
});

/** The clipboard needs HTTPS; over plain HTTP on the LAN the old way still works. @param {string} text */
async function copy(text) {
  try {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused by the browser: try the other way.
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
