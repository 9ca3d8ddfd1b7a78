// @ts-check
/** Sends a document and shows how much of it has arrived; without JavaScript the form sends it just as well. */
document.addEventListener('submit', (event) => {
  const form = event.target instanceof HTMLFormElement ? event.target : null;
  const stage = /** @type {HTMLElement | null} */ (form?.querySelector('.sending') ?? null);
  if (!form || !stage) return;
  event.preventDefault();
  const bar = /** @type {HTMLProgressElement} */ (stage.querySelector('progress'));
  const words = /** @type {HTMLElement} */ (stage.querySelector('span'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button.primary'));
  stage.hidden = false;
  button.disabled = true;
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    const percent = Math.floor((100 * loaded) / Math.max(1, total));
    bar.value = percent;
    const text = percent < 100 ? form.dataset.sending?.replace('{percent}', String(percent)) : form.dataset.kept;
    words.textContent = text ?? '';
  });
  const broken = () => {
    button.disabled = false;
    bar.removeAttribute('value');
    words.textContent = form.dataset.failed ?? '';
  };
  request.addEventListener('error', broken);
  // The answer is a page of ours: the list with the new document, or the form with what is wrong beside the field.
  request.addEventListener('load', () => {
    if (request.status < 300) return location.assign(request.responseURL);
    const page = new DOMParser().parseFromString(request.responseText, 'text/html');
    const fresh = page.querySelector('#upload');
    if (fresh) document.getElementById('upload')?.replaceWith(document.adoptNode(fresh));
    else broken();
  });
  request.send(new FormData(form));
});
