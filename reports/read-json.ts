import { z } from 'zod';

/** A file of a report that is not one: what, where, what was expected. */
export class SummaryError extends Error {
  override readonly name = 'SummaryError';
}

const named = z.object({ schema: z.string() });

/**
 * The name of the format that a file says it has.
 * @throws SummaryError
 */
export function schemaOf(text: string, file: string): string {
  return readAs(named, text, file).schema;
}

/** @throws SummaryError */
export function readAs<T>(shape: z.ZodType<T>, text: string, file: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SummaryError(`${file}: expected JSON`);
  }
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new SummaryError(`${file}: ${where}${issue?.message}`);
}
