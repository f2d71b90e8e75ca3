const pending = new WeakMap<AbortSignal, Promise<void>>();

/** Resolves when the signal aborts; at once when it has. However often it is asked, it listens once. Never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const known = pending.get(signal);
  if (known !== undefined) return known;
  const made = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  pending.set(signal, made);
  return made;
}
