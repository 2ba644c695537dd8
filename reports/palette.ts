/** How a terminal text is coloured. Every function takes a piece that is already padded: colour has no width. */
export interface Palette {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly quiet: (text: string) => string;
  readonly strong: (text: string) => string;
}

const unchanged = (text: string): string => text;

/** For pipes, files and golden tests. */
export const PLAIN: Palette = { good: unchanged, bad: unchanged, quiet: unchanged, strong: unchanged };

const selectGraphicRendition = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

/** The four colours every terminal has in a readable form on dark and on light. */
export const ANSI: Palette = {
  good: selectGraphicRendition(32, 39),
  bad: selectGraphicRendition(31, 39),
  quiet: selectGraphicRendition(2, 22),
  strong: selectGraphicRendition(1, 22),
};
