/**
 * Counts accesses to elements of every typed array that can be reached from an object by its properties. One behind the
 * end of its array, which an engine makes slow, throws.
 * @returns what tells how many there were since it was asked last
 */
export function counted(object: object): () => number {
  const seen = new Set<object>();
  let count = 0;
  const watch = (column: object): object =>
    new Proxy(column, {
      get: (target, key) => {
        if (isElement(key)) count += 1;
        if (isElement(key) && !(key in target)) throw new RangeError(`element ${String(key)}`);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, key, value) => {
        if (isElement(key)) count += 1;
        return Reflect.set(target, key, value, target);
      },
    });
  const visit = (holder: object): void => {
    if (seen.has(holder)) return;
    seen.add(holder);
    for (const key of Object.keys(holder)) {
      const value: unknown = Reflect.get(holder, key);
      if (ArrayBuffer.isView(value)) Reflect.set(holder, key, watch(value));
      else if (typeof value === 'object' && value !== null) visit(value);
    }
  };
  visit(object);
  return () => {
    const before = count;
    count = 0;
    return before;
  };
}

function isElement(key: string | symbol): boolean {
  return typeof key === 'string' && /^\d+$/.test(key);
}
