import type { Clock } from '../../kit/clock.ts';
import { isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import type { ObjectReader } from '../objects/object-reader.ts';
import type { ObjectWriter, Written } from '../objects/object-writer.ts';
import { deleteOptionsOf, writeOptionsOf, type WriteOptions } from '../objects/write-options.ts';
import { required } from '../schema/causes.ts';
import { StatusError, badRequest, invalid } from '../status.ts';
import { decodeObject, decodeYaml, readBody, textOfBody, type Body } from './body.ts';
import { agentOf, type Call } from './call.ts';
import { APPLY_PATCH, patchedBy } from './patch-body.ts';
import { presentOne } from './present.ts';
import { selectorOf } from './read-verbs.ts';
import { ok, type Answer } from './respond.ts';

export interface WriteTools {
  readonly writer: ObjectWriter;
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

const optionsOf = (call: Call) => writeOptionsOf(call.query, agentOf(call), call.subresource);

export async function createObject(call: Call, { writer, clock }: WriteTools): Promise<Answer> {
  const sent = decodeObject(await readBody(call.request), call.kind.kind);
  return answerOf(call, await writer.create(call.kind, namespaceFor(call), sent, optionsOf(call)), clock);
}

export async function replaceObject(call: Call, name: string, { writer, clock }: WriteTools): Promise<Answer> {
  const sent = decodeObject(await readBody(call.request), call.kind.kind);
  const place = { kind: call.kind, namespace: namespaceFor(call), name };
  return answerOf(call, await writer.change(place, optionsOf(call), () => sent), clock);
}

export async function patchObject(call: Call, name: string, { writer, clock }: WriteTools): Promise<Answer> {
  const body = await readBody(call.request);
  const place = { kind: call.kind, namespace: namespaceFor(call), name };
  const options = optionsOf(call);
  const written =
    body.mediaType === APPLY_PATCH
      ? await writer.apply(place, applyOptions(call, options), decodeYaml(textOfBody(body)))
      : await writer.change(place, options, patchedBy(call.kind, body));
  return answerOf(call, written, clock);
}

export async function deleteObject(call: Call, name: string, { writer }: WriteTools): Promise<Answer> {
  const options = deleteOptionsOf(call.query, deleteBody(await readBody(call.request)));
  const deleted = await writer.delete({ kind: call.kind, namespace: namespaceFor(call), name }, options);
  return ok(deleted.kind === 'ending' ? deleted.object : deletedStatus(call, deleted.object));
}

export async function deleteObjects(call: Call, { writer, reader }: WriteTools): Promise<Answer> {
  const options = deleteOptionsOf(call.query, deleteBody(await readBody(call.request)));
  const { kind, namespace } = call;
  const page = await reader.page({ kind, namespace, selector: selectorOf(call), limit: 0, after: undefined });
  const deletions = page.objects.map(async ({ metadata }) => {
    const place = { kind, namespace: metadata.namespace ?? '', name: metadata.name };
    await writer.delete(place, options).catch(ignoreNotFound);
  });
  await Promise.all(deletions);
  return ok({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { group: kind.group, kind: kind.plural },
  });
}

/** An apply without a name for its manager could never take anything back. */
function applyOptions({ kind, query }: Call, options: WriteOptions): WriteOptions {
  if ((query.get('fieldManager') ?? '') !== '') return options;
  throw invalid({ ...kind, kind: 'PatchOptions', group: 'meta.k8s.io' }, '', [
    required('fieldManager', 'is required for apply patch'),
  ]);
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof StatusError && error.code === 404)) throw error;
}

function answerOf(call: Call, { object, warnings, isNew }: Written, clock: Clock): Answer {
  return { code: isNew ? 201 : 200, body: presentOne(call, object, clock.now()), warnings };
}

/** Writing goes to one namespace; a namespaced kind without one in the address is an error of the client. */
function namespaceFor({ kind, namespace }: Call): string {
  if (kind.isNamespaced && namespace === undefined)
    throw badRequest('an empty namespace may not be set during creation');
  return namespace ?? '';
}

function deleteBody(body: Body): JsonObject {
  if (body.bytes.length === 0) return {};
  const sent: Json = decodeObject(body, 'DeleteOptions');
  if (!isObject(sent)) throw badRequest('the body of a delete request must be DeleteOptions');
  return sent;
}

function deletedStatus({ kind }: Call, { metadata }: KubeObject): JsonObject {
  const details = { name: metadata.name, group: kind.group, kind: kind.plural, uid: metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
