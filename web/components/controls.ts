/** Form controls with their label, hint and error tied together; what was typed stays. */
import { html } from 'hono/html';
import type { Html } from '../ui.ts';
import { field } from './parts.ts';

/** What was typed, by field name, and what is wrong with it. */
export type FormState = { values: Readonly<Record<string, string>>; errors: Readonly<Record<string, string>> };
export const EMPTY_FORM: FormState = { values: {}, errors: {} };

type Common = { id: string; label: string; hint?: string | undefined; name?: string };
type TextOptions = Common & {
  type?: 'text' | 'password' | 'number' | 'url';
  autocomplete?: string;
  placeholder?: string;
  required?: boolean;
  inputmode?: 'decimal' | 'numeric';
  /** The value where nothing was typed. */
  value?: string;
};
export type Option = readonly [value: string, text: string];

/** A text field. Passwords are never sent back. */
export function textControl(form: FormState, options: TextOptions): Html {
  const { id, label, type = 'text', value = '' } = options;
  const name = options.name ?? id;
  const typed = type === 'password' ? '' : (form.values[name] ?? value);
  const extra = [
    options.autocomplete ? html`autocomplete="${options.autocomplete}"` : '',
    options.placeholder ? html`placeholder="${options.placeholder}"` : '',
    options.inputmode ? html`inputmode="${options.inputmode}"` : '',
    options.required ? html`required` : '',
    described(form, options),
  ];
  return field({
    id,
    label,
    hint: options.hint ?? null,
    error: form.errors[name] ?? null,
    control: html`<input id="${id}" name="${name}" type="${type}" value="${typed}" autocapitalize="none" spellcheck="false" ${extra}>`,
  });
}

/** A choice from a list. */
export function selectControl(form: FormState, options: Common & { options: readonly Option[]; value?: string }): Html {
  const { id, label, value = '' } = options;
  const name = options.name ?? id;
  const chosen = form.values[name] ?? value;
  return field({
    id,
    label,
    hint: options.hint ?? null,
    error: form.errors[name] ?? null,
    control: html`<select id="${id}" name="${name}" ${described(form, options)}>${options.options.map(
      ([key, text]) => html`<option value="${key}" ${key === chosen ? html`selected` : ''}>${text}</option>`,
    )}</select>`,
  });
}

/** A box to tick, with its words beside it. */
export function checkControl(input: {
  id: string;
  name?: string;
  label: string | Html;
  checked: boolean;
  hint?: string;
  value?: string;
}): Html {
  const hint = input.hint ? html`<p class="hint" id="${input.id}-hint">${input.hint}</p>` : '';
  return html`<div class="field"><label class="option"><input type="checkbox" id="${input.id}" name="${input.name ?? input.id}" value="${input.value ?? 'yes'}" ${input.checked ? html`checked` : ''} ${input.hint ? html`aria-describedby="${input.id}-hint"` : ''}>${input.label}</label>${hint}</div>`;
}

/** Attributes that tie a control to its hint and error. */
function described(form: FormState, { id, name, hint }: Common): Html {
  const error = form.errors[name ?? id];
  const ids = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return html`${ids ? html`aria-describedby="${ids}"` : ''} ${error ? html`aria-invalid="true"` : ''}`;
}
