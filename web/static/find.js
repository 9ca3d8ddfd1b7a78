// @ts-check
/** Filters a list while somebody types: `data-find` names the list, its rows carry `data-words`. */
for (const input of document.querySelectorAll('input[data-find]')) {
  if (!(input instanceof HTMLInputElement)) continue;
  const list = document.querySelector(input.dataset.find ?? '');
  const none = document.querySelector('[data-found-none]');
  input.form?.querySelector('button')?.setAttribute('hidden', '');
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of list?.querySelectorAll('[data-words]') ?? []) {
      const hit = words.every((word) => (row.getAttribute('data-words') ?? '').includes(word));
      row.toggleAttribute('hidden', !hit);
      if (hit) shown++;
    }
    none?.toggleAttribute('hidden', shown > 0);
  };
  input.addEventListener('input', filter);
  filter();
}
