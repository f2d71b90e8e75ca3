import type { Clock } from '../../kit/clock.ts';
import type { ObjectReader } from '../objects/object-reader.ts';
import { parseSelector, type Selector } from '../rules/selector.ts';
import { expired } from '../status.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { numberOf, type Call } from './call.ts';
import { decodeToken, encodeToken, type ContinueToken } from './continue-token.ts';
import { presentList, presentOne } from './present.ts';
import { ok, type Answer } from './respond.ts';

export interface ReadTools {
  readonly reader: ObjectReader;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

export const selectorOf = ({ kind, query }: Call): Selector =>
  parseSelector(kind, query.get('labelSelector') ?? '', query.get('fieldSelector') ?? '');

export function getObject(call: Call, name: string, { reader, clock }: ReadTools): Answer {
  const object = reader.get({ kind: call.kind, namespace: call.namespace ?? '', name });
  return ok(presentOne(call, object, clock.now()));
}

export async function listObjects(call: Call, { reader, store, clock }: ReadTools): Promise<Answer> {
  const token = tokenOf(call, store);
  const page = await reader.page({
    kind: call.kind,
    namespace: call.namespace,
    selector: selectorOf(call),
    limit: numberOf(call.query, 'limit', 0),
    after: token?.after,
  });
  const revision = token?.revision ?? page.revision;
  const next = page.next === undefined ? {} : { continue: encodeToken({ revision, after: page.next }) };
  return ok(presentList(call, page.objects, { resourceVersion: String(revision), ...next }, clock.now()));
}

function tokenOf({ query, kind }: Call, store: ObjectStore): ContinueToken | undefined {
  const text = query.get('continue') ?? '';
  if (text === '') return undefined;
  const token = decodeToken(text, kind.collection);
  if (!store.remembers(token.revision)) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result: start the list again.',
    );
  }
  return token;
}
