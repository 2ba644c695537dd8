/** A piece of a C program. */
export interface Part {
  /** The names of those that stand before it. */
  readonly needs: readonly string[];
  readonly text: string;
}
