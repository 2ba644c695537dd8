/** A command line that is not one: what was expected, and where it ends. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** What a shell would act upon, and this does not. */
const FOR_A_SHELL = /[|&;<>()$`*?~]/;

/**
 * The words of a command line as a shell would split it: quotes and backslashes keep blanks together. There is no shell
 * in between, so that the program itself is what is started and ended.
 * @throws CommandError for an open quote, for nothing, and for what needs a shell.
 */
export function wordsOf(command: string): readonly string[] {
  const words: string[] = [];
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|[^\s'"\\]+/y;
  let word: string | undefined;
  for (piece.lastIndex = 0; piece.lastIndex < command.length; ) {
    const at = piece.lastIndex;
    const match = piece.exec(command);
    if (match === null) throw new CommandError(`stdio: expected a closing quote in: ${command.slice(at)}`);
    const [whole, single, double, escaped] = match;
    const quoted = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped;
    if (quoted === undefined && FOR_A_SHELL.test(whole))
      throw new CommandError(
        `stdio: expected a program and its arguments, got ${whole}: write sh -c '...' for a shell`,
      );
    if (quoted === undefined && whole.trim() === '') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${quoted ?? whole}`;
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new CommandError('stdio: expected a program, got nothing');
  return words;
}
