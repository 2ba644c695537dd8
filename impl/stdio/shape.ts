/** A value that has not the shape it should have: where, what was expected, what stood there. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Reads a value of foreign JSON. @throws ShapeError */
export type Read<Value> = (value: unknown, path: string) => Value;

export function wrong(path: string, expected: string, got: unknown): ShapeError {
  const text = got === undefined ? 'nothing' : JSON.stringify(got);
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return new ShapeError(`${path === '' ? '' : `${path}: `}expected ${expected}, got ${shown}`);
}

export const text: Read<string> = (value, path) => {
  if (typeof value === 'string' && value !== '') return value;
  throw wrong(path, 'a text', value);
};

export const flag: Read<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value;
  throw wrong(path, 'true or false', value);
};

export function whole(least: number, most: number): Read<number> {
  return (value, path) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw wrong(path, `a whole number from ${least} to ${most}`, value);
  };
}

export const uint32 = whole(0, 0xffffffff);

export function oneOf<const Word extends string>(words: readonly Word[]): Read<Word> {
  return (value, path) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw wrong(path, `one of ${words.map((word) => `"${word}"`).join(', ')}`, value);
  };
}

export function list<Value>(read: Read<Value>): Read<readonly Value[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, 'a list', value);
    return value.map((entry: unknown, place) => read(entry, `${path}[${place}]`));
  };
}

/** What stands there, or this where nothing does. */
export function orElse<Value, const Other>(read: Read<Value>, other: Other): Read<Value | Other> {
  return (value, path) => (value === undefined ? other : read(value, path));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Entries by a number, ascending. */
export function byNumber<Value>(read: Read<Value>): Read<ReadonlyMap<number, Value>> {
  return (value, path) => {
    if (!isRecord(value)) throw wrong(path, 'an object with numbers as names', value);
    const entries = Object.entries(value).map(([name, entry]): [number, Value] => {
      if (!/^(0|[1-9]\d{0,9})$/.test(name)) throw wrong(path, 'numbers as names', name);
      return [Number(name), read(entry, `${path}.${name}`)];
    });
    return new Map(entries.sort(([left], [right]) => left - right));
  };
}

/** An object with these fields and no others; a name that is spelled wrong is not taken for one that was left out. */
export function fields<Shape extends Readonly<Record<string, Read<unknown>>>>(
  shape: Shape,
): Read<{ readonly [Name in keyof Shape]: ReturnType<Shape[Name]> }> {
  const names = Object.keys(shape);
  return (value, path) => {
    if (!isRecord(value)) throw wrong(path, 'an object', value);
    for (const name of Object.keys(value))
      if (!Object.hasOwn(shape, name)) throw wrong(path, `no field but ${names.join(', ')}`, name);
    const at = path === '' ? '' : `${path}.`;
    const found: Record<string, unknown> = {};
    for (const name of names) found[name] = shape[name]?.(value[name], `${at}${name}`);
    return found as { readonly [Name in keyof Shape]: ReturnType<Shape[Name]> };
  };
}
