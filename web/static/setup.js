// @ts-check
/** Guesses the time zone from the browser, unless somebody has chosen one. */
const zone = /** @type {HTMLSelectElement | null} */ (document.getElementById('time_zone'));
const guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
const untouched = document.querySelector('[aria-invalid]') === null;
if (zone && untouched && [...zone.options].some((option) => option.value === guess)) zone.value = guess;
