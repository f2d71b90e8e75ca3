import type { Json, KubeObject } from '../json.ts';

/** One column of the tables that kubectl prints. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, anything higher only with `-o wide`. */
  readonly priority: number;
  readonly cell: (object: KubeObject, now: number) => Json;
}

export type Cell = Column['cell'];
type Options = Partial<Pick<Column, 'type' | 'format' | 'description' | 'priority'>>;

export function column(name: string, cell: Cell, options: Options = {}): Column {
  return { name, type: 'string', format: '', description: name, priority: 0, ...options, cell };
}
