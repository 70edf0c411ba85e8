/**
 * A value that notes what is read of it: the path of every property that was looked at, as `zones.0.name`. What a plan does not depend
 * on is so known from the plan itself.
 */
export function watched<T extends object>(value: T, read: Set<string>, path = ""): T {
  return new Proxy(value, {
    get(target, key, receiver) {
      const inner: unknown = Reflect.get(target, key, receiver);
      if (typeof key === "symbol") return inner;
      const at = path === "" ? key : `${path}.${key}`;
      read.add(at);
      return typeof inner === "object" && inner !== null ? watched(inner, read, at) : inner;
    },
  });
}
