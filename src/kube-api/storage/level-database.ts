// The only file that opens classic-level: its options, and what its errors mean here.
import { ClassicLevel } from 'classic-level';
import { codeOf } from '../../kit/errors.ts';
import { mebibytes } from '../../kit/units.ts';
import { kubeApiErrors } from '../errors.ts';

export type Database = ClassicLevel;

const OPTIONS = { cacheSize: mebibytes(2), writeBufferSize: mebibytes(1) };

export async function openDatabase(directory: string): Promise<Database> {
  const database = new ClassicLevel(directory, OPTIONS);
  try {
    await database.open();
    return database;
  } catch (error) {
    const locked = error instanceof Error && codeOf(error.cause) === 'LEVEL_LOCKED';
    const refusal = locked ? kubeApiErrors.KUBE_API_STORE_LOCKED : kubeApiErrors.KUBE_API_STORE_UNREADABLE;
    throw refusal({ directory }, error);
  }
}
