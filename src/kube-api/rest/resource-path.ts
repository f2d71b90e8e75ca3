/** The address of a resource in a URL path. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Absent for cluster-wide addresses: a kind outside namespaces, or all namespaces at once. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Reads `/api/v1/…` and `/apis/<group>/<version>/…`; `undefined` when the path is something else. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = decodedParts(path);
  const [root, first, second] = parts ?? [];
  if (parts === undefined || first === undefined) return undefined;
  if (root === 'api') return resourceOf('', first, parts.slice(2));
  if (root === 'apis' && second !== undefined) return resourceOf(first, second, parts.slice(3));
  return undefined;
}

function resourceOf(group: string, version: string, rest: readonly string[]): ResourcePath | undefined {
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2 && !isNamespacePart(rest[2], group);
  const [plural, name, subresource, ...more] = isInNamespace ? rest.slice(2) : rest;
  if (plural === undefined || plural === '' || more.length > 0) return undefined;
  return { group, version, plural, namespace: isInNamespace ? rest[1] : undefined, name, subresource };
}

/** `/api/v1/namespaces/x/status` is a part of a namespace, not a kind inside it. */
const isNamespacePart = (part: string | undefined, group: string): boolean =>
  group === '' && (part === 'status' || part === 'finalize');

function decodedParts(path: string): readonly string[] | undefined {
  try {
    const parts = path.slice(1).split('/').map(decodeURIComponent);
    return parts.some((part) => part.includes('/')) ? undefined : parts;
  } catch {
    return undefined; // a malformed escape names no resource
  }
}
