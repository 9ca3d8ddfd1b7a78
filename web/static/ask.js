// @ts-check
/** Enter asks, Shift+Enter makes a new line. */
const question = /** @type {HTMLTextAreaElement | null} */ (document.getElementById('question'));
question?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  question.form?.requestSubmit();
});
