/**
 * Orders the changes of one property of one device (ADR 0006). Compared part by part: a device that was moved to another node
 * (`binding`), a node whose store was wiped or restored (`term`) and an ordinary next change (`n`) are all newer. Clocks never decide.
 */
export interface Version {
  readonly binding: number;
  readonly term: number;
  readonly n: number;
}

/** Negative when `a` is older than `b`, positive when newer, 0 when the same. */
export function compareVersions(a: Version, b: Version): number {
  return a.binding - b.binding || a.term - b.term || a.n - b.n;
}

/** `<binding>.<term>.<n>`, the form kept in Kubernetes. */
export function formatVersion(version: Version): string {
  return `${version.binding}.${version.term}.${version.n}`;
}

export function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(text);
  return match === null ? undefined : { binding: Number(match[1]), term: Number(match[2]), n: Number(match[3]) };
}
