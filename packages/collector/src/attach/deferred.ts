/** A promise that is resolved from outside; Promise.withResolvers, which Node 20 does not have. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  /** Does nothing from the second call on. */
  resolve(value: Value): void;
}

export function createDeferred<Value = void>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
