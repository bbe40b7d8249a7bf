/** Puts another method in the place of one, made of that one. */
export function replaceMethod<T, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
) {
  prototype[name] = make(prototype[name]);
}
