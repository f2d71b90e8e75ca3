// Which form of answer a client wants, out of its Accept header.
import { notAcceptable } from '../status.ts';

/** The forms of an object or list, and those of discovery. */
export type ObjectForm = 'json' | 'table' | 'metadata';
export type DiscoveryForm = 'json' | 'discovery-v2' | 'discovery-v2beta1';
type Form = ObjectForm | DiscoveryForm;

const ANY = new Set(['*/*', 'application/*', 'application/json']);

/** The first form in the client's list that the address can answer in. Without a header: plain JSON. */
export function wantedForm<F extends Form>(accept: string | undefined, offered: readonly F[]): F | 'json' {
  if (accept === undefined || accept.trim() === '') return 'json';
  for (const part of accept.split(',')) {
    const form = formOf(part);
    const match = offered.find((each) => each === form);
    if (match !== undefined) return match;
  }
  throw notAcceptable('application/json');
}

function formOf(part: string): Form | undefined {
  const [type = '', ...parameters] = part.split(';').map((each) => each.trim());
  if (!ANY.has(type.toLowerCase())) return undefined;
  const named = new Map(parameters.map((each) => each.split('=', 2) as [string, string | undefined]));
  switch (named.get('as')) {
    case undefined:
      return 'json';
    case 'Table':
      return 'table';
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return 'metadata';
    case 'APIGroupDiscoveryList':
      return named.get('v') === 'v2' ? 'discovery-v2' : 'discovery-v2beta1';
    default:
      return undefined;
  }
}
