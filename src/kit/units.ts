/** A length of time in milliseconds. Made by {@link ms} or {@link seconds}, so that a bare number never passes for one. */
export type Duration = number & { readonly unit: 'ms' };

/** A size in bytes. */
export type Bytes = number & { readonly unit: 'bytes' };

export const ms = (value: number): Duration => value as Duration;
export const seconds = (value: number): Duration => (value * 1000) as Duration;
export const days = (value: number): Duration => (value * 86_400_000) as Duration;
export const bytes = (value: number): Bytes => value as Bytes;
export const mebibytes = (value: number): Bytes => (value * 1024 * 1024) as Bytes;
