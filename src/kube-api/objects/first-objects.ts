// What exists from the start.
import { namespaceKind } from '../kinds/built-in-kinds.ts';
import { StatusError } from '../status.ts';
import type { ObjectWriter } from './object-writer.ts';
import type { WriteOptions } from './write-options.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const OPTIONS: WriteOptions = {
  isDryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 'kube-api',
  force: false,
  subresource: undefined,
};

export async function createFirstObjects(writer: ObjectWriter): Promise<void> {
  const creations = NAMESPACES.map((name) => writer.create(namespaceKind, '', { metadata: { name } }, OPTIONS));
  for (const result of await Promise.allSettled(creations)) {
    if (result.status === 'rejected' && !isAlreadyThere(result.reason)) throw result.reason;
  }
}

const isAlreadyThere = (error: unknown): boolean => error instanceof StatusError && error.reason === 'AlreadyExists';
