import { type Markup, markup } from './markup.ts';

/** What can be chosen among the rows of a section: the value of `data-kind`, and the words for it. */
export interface Choice {
  readonly kind: string;
  readonly words: string;
}

/** A form that narrows rows by words and by kind. Without a script every row is shown and the form stays hidden. */
export function filterForm(rows: string, placeholder: string, legend: string, choices: readonly Choice[]): Markup {
  const all = [{ kind: 'all', words: 'all' }, ...choices].map(
    ({ kind, words }) => markup`<label><input type="radio" name="kind" value="${kind}"${
      kind === 'all' ? markup` checked` : ''
    }> ${words}</label>
`,
  );
  return markup`<form class="filter" role="search" aria-label="${legend}" data-rows="${rows}" hidden>
<label>Search <input type="search" name="words" placeholder="${placeholder}"></label>
<fieldset><legend class="hidden">${legend}</legend>
${all}</fieldset>
<output aria-live="polite"></output>
</form>`;
}

/** Filters, shows what a link leads to although it is filtered away or folded, and unfolds everything for paper. */
export const PAGE_SCRIPT = `const filters = [...document.querySelectorAll('form.filter')].map((form) => {
  const rows = [...document.querySelectorAll(form.dataset.rows)];
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const narrow = () => {
    const words = form.words.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    const kind = form.kind.value;
    for (const row of rows) {
      const fits = kind === 'all' || row.dataset.kind === kind;
      row.hidden = !fits || !words.every((word) => textOf(row).includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector('output').textContent = shown + ' of ' + rows.length + ' shown';
  };
  form.hidden = false;
  form.addEventListener('input', narrow);
  form.addEventListener('submit', (event) => event.preventDefault());
  narrow();
  return { form, rows, narrow };
});
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (target === null) return;
  for (const { form, rows, narrow } of filters) {
    if (!rows.some((row) => row.hidden && row.contains(target))) continue;
    form.reset();
    narrow();
  }
  for (let outer = target; outer !== null; outer = outer.parentElement) if (outer.matches('details')) outer.open = true;
  const folded = target.matches('.finding') ? target.querySelector('details') : null;
  if (folded !== null) folded.open = true;
  target.scrollIntoView();
}
addEventListener('hashchange', reveal);
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
// A link to where one is already changes nothing, and is still a wish to see it.
addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link !== null && link.hash === location.hash) reveal();
});
reveal();`;
