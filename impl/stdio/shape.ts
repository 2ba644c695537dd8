/** A value that has not the shape it should have: where, what was expected, what stood there. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  readonly #expected: string;
  readonly #path: string;

  constructor(path: string, expected: string) {
    super(`${path === '' ? '' : `${path}: `}${expected}`);
    this.#path = path;
    this.#expected = expected;
  }

  /** The same, as it is told of the value around: `name` is a field, or `[3]`. */
  within(name: string): ShapeError {
    const path = this.#path === '' || this.#path.startsWith('[') ? this.#path : `.${this.#path}`;
    return new ShapeError(`${name}${path}`, this.#expected);
  }
}

/** Reads a value of foreign JSON. @throws ShapeError */
export type Read<Value> = (value: unknown) => Value;

/** @param path where it stands in what is read, if it is not the whole of that */
export function wrong(expected: string, got: unknown, path = ''): ShapeError {
  const text = got === undefined ? 'nothing' : JSON.stringify(got);
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return new ShapeError(path, `expected ${expected}, got ${shown}`);
}

/** Where something is wrong is put together on the way out: what is right, which is nearly all, pays nothing for it. */
export function readWithin<Value>(read: Read<Value>, value: unknown, name: string): Value {
  try {
    return read(value);
  } catch (error) {
    throw error instanceof ShapeError ? error.within(name) : error;
  }
}

export const text: Read<string> = (value) => {
  if (typeof value === 'string' && value !== '') return value;
  throw wrong('a text', value);
};

export const flag: Read<boolean> = (value) => {
  if (typeof value === 'boolean') return value;
  throw wrong('true or false', value);
};

export function whole(least: number, most: number): Read<number> {
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw wrong(`a whole number from ${least} to ${most}`, value);
  };
}

export const uint32 = whole(0, 0xffffffff);

export function oneOf<const Word extends string>(words: readonly Word[]): Read<Word> {
  return (value) => {
    if ((words as readonly unknown[]).includes(value)) return value as Word;
    throw wrong(`one of ${words.map((word) => `"${word}"`).join(', ')}`, value);
  };
}

export function list<Value>(read: Read<Value>): Read<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) throw wrong('a list', value);
    return value.map((entry: unknown, place) => readWithin(read, entry, `[${place}]`));
  };
}

/** What stands there, or this where nothing does. */
export function orElse<Value, const Other>(read: Read<Value>, other: Other): Read<Value | Other> {
  return (value) => (value === undefined ? other : read(value));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The largest number by which JavaScript orders the fields of an object. */
const PLACE_MAX = 0xfffffffe;

/** Entries by a number, ascending. */
export function byNumber<Value>(read: Read<Value>): Read<readonly Numbered<Value>[]> {
  return (value) => {
    if (!isRecord(value)) throw wrong('an object with numbers as names', value);
    return Object.keys(value).map((name) => {
      const number = Number(name);
      if (!(Number.isInteger(number) && number >= 0 && number <= PLACE_MAX && String(number) === name))
        throw wrong('numbers as names', name);
      return { number, value: readWithin(read, value[name], name) };
    });
  };
}

/** An entry that is named by a number. */
export interface Numbered<Value> {
  readonly number: number;
  readonly value: Value;
}

/** An object with these fields and no others; a name that is spelled wrong is not taken for one that was left out. */
export function fields<Shape extends Readonly<Record<string, Read<unknown>>>>(
  shape: Shape,
): Read<{ readonly [Name in keyof Shape]: ReturnType<Shape[Name]> }> {
  const readers = new Map(Object.entries(shape));
  const { absent, needed } = whereLeftOut(readers);
  return (value) => {
    if (!isRecord(value)) throw wrong('an object', value);
    const found = { ...absent };
    for (const name of Object.keys(value)) {
      const read = readers.get(name);
      if (read === undefined) throw wrong(`no field but ${[...readers.keys()].join(', ')}`, name);
      found[name] = readWithin(read, value[name], name);
    }
    for (const [name, read] of needed) if (value[name] === undefined) readWithin(read, undefined, name);
    return found as { readonly [Name in keyof Shape]: ReturnType<Shape[Name]> };
  };
}

/** What fields are when they are left out, and those that cannot be. */
function whereLeftOut(readers: ReadonlyMap<string, Read<unknown>>): {
  readonly absent: Record<string, unknown>;
  readonly needed: readonly (readonly [string, Read<unknown>])[];
} {
  const absent: Record<string, unknown> = {};
  const needed: (readonly [string, Read<unknown>])[] = [];
  for (const [name, read] of readers) {
    absent[name] = undefined;
    try {
      absent[name] = read(undefined);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      needed.push([name, read]);
    }
  }
  return { absent, needed };
}
