import { printable } from './printable.ts';

/** Text that is markup already. Everything else is escaped where it is put into a template. */
export interface Markup {
  readonly markup: string;
}

export type Content = Markup | string | number | readonly Content[];

/** A template of HTML or XML: what is put in is escaped unless this function made it, so nothing can be forgotten. */
export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { markup: strings.reduce((done, string, index) => done + render(contents[index - 1] ?? '') + string) };
}

function render(content: Content): string {
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content));
  return 'markup' in content ? content.markup : content.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
