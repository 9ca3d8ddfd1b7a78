// @ts-check
/** The number beside a slider follows it. */
document.addEventListener('input', (event) => {
  const slider = event.target;
  if (!(slider instanceof HTMLInputElement) || slider.type !== 'range') return;
  const output = document.querySelector(`output[for="${slider.id}"]`);
  if (output instanceof HTMLElement)
    output.textContent = `${Number(slider.value).toLocaleString(document.documentElement.lang)}\u00a0${output.dataset.unit ?? ''}`;
});
