// Who may do what, as an access file says it: lines in the form of Mosquitto's `acl_file`, and `device` lines for all topics of one
// device. What no line grants is refused. Pure.
import { deviceTopics } from '../../src/wire/mqtt-topics.ts';
import { brokerErrors } from '../errors.ts';
import { isFilter, NO_RIGHTS, Rights, type Grant } from './grants.ts';
import { isUserName } from './user-names.ts';

/** Without an access file: a user is the device of that name, and what is no device's is everybody's. */
export const DEFAULT_ACL = `\
pattern device %u
pattern readwrite #
pattern write $hw/events/upload/#
`;

type Access = Pick<Grant, 'publish' | 'subscribe'>;

const ACCESS: Readonly<Record<string, Access>> = {
  read: { publish: false, subscribe: true },
  write: { publish: true, subscribe: false },
  readwrite: { publish: true, subscribe: true },
};

/** Grants for whoever stands in the place of `%u` and `%c`. */
type Pattern = (user: string, clientId: string) => readonly Grant[];

export class Acl {
  readonly #anonymous: readonly Grant[];
  readonly #users: ReadonlyMap<string, readonly Grant[]>;
  readonly #patterns: readonly Pattern[];

  constructor(reading: Pick<Reading, 'anonymous' | 'users' | 'patterns'>) {
    this.#anonymous = reading.anonymous;
    this.#users = reading.users;
    this.#patterns = reading.patterns;
  }

  rightsOf(user: string, clientId: string): Rights {
    if (!isUserName(user)) return NO_RIGHTS;
    return new Rights([
      ...(this.#users.get(user) ?? []),
      ...this.#patterns.flatMap((pattern) => pattern(user, clientId)),
    ]);
  }

  /** Of those who did not say who they are; `undefined` where nothing is said of them: then they may do what any program of this machine may. */
  get anonymous(): Rights | undefined {
    return this.#anonymous.length === 0 ? undefined : new Rights(this.#anonymous);
  }
}

/** Throws BROKER_ACL_INVALID, which names file, line and what is expected. */
export function parseAcl(text: string, file: string): Acl {
  const reading = new Reading();
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const problem = reading.take(line);
    if (problem !== undefined) throw brokerErrors.BROKER_ACL_INVALID({ file, line: at + 1, problem });
  }
  return new Acl(reading);
}

class Reading {
  readonly anonymous: Grant[] = [];
  readonly users = new Map<string, Grant[]>();
  readonly patterns: Pattern[] = [];
  /** Whom lines are for from here on. */
  #current = this.anonymous;

  /** What is wrong with the line. */
  take(line: string): string | undefined {
    const { word, rest } = cut(line);
    if (rest === '') return `says nothing behind "${word}"`;
    if (word === 'user') return this.#takeUser(rest);
    if (word === 'topic') return this.#takeTopic(rest);
    if (word === 'device') return this.#takeDevice(rest);
    if (word === 'pattern') return this.#takePattern(rest);
    return `begins with "${word}"; expected user, topic, device or pattern`;
  }

  #takeUser(name: string): string | undefined {
    if (!isUserName(name)) return `"${name}" is no name of a user`;
    this.#current = this.users.get(name) ?? [];
    this.users.set(name, this.#current);
    return undefined;
  }

  #takeTopic(rest: string): string | undefined {
    const { access, filter } = accessAndFilter(rest);
    if (!isFilter(filter)) return `"${filter}" is no topic filter, or its access is none of read, write and readwrite`;
    if (isDenial(rest)) return DENIAL;
    this.#current.push({ filter, ...access });
    return undefined;
  }

  #takeDevice(name: string): string | undefined {
    if (!isUserName(name)) return `"${name}" is no NAMESPACE/NAME of a device`;
    this.#current.push(...grantsOfDevice(name));
    return undefined;
  }

  #takePattern(rest: string): string | undefined {
    if (/^device\s+%u$/.test(rest)) {
      this.patterns.push((user) => grantsOfDevice(user));
      return undefined;
    }
    const { access, filter } = accessAndFilter(rest);
    if (!isFilter(filter))
      return `"${filter}" is no topic filter, or its access is none of read, write, readwrite and "device %u"`;
    if (isDenial(rest)) return DENIAL;
    this.patterns.push((user, clientId) => {
      const filled = fill(filter, { '%u': user, '%c': clientId });
      return filled === undefined ? [] : [{ filter: filled, ...access }];
    });
    return undefined;
  }
}

/** Mosquitto knows it. Read as the beginning of a topic, it would grant what it was meant to refuse. */
const isDenial = (rest: string): boolean => /^deny\s/.test(rest);
const DENIAL = 'says "deny": lines only grant, and what none of them grants is refused';

/** All topics of the device, under its name or `<namespace>/<name>`. */
function grantsOfDevice(name: string): Grant[] {
  const { publish, subscribe } = deviceTopics(name);
  return [
    ...publish.map((filter) => ({ filter, publish: true, subscribe: true })),
    ...subscribe.map((filter) => ({ filter, publish: false, subscribe: true })),
  ];
}

/** Nothing where a name would be more than a part of one level: who may choose it could choose what it is granted. */
function fill(filter: string, names: Readonly<Record<string, string>>): string | undefined {
  const isPartOfLevel = (name = ''): boolean => name !== '' && !/[+#/\0]/.test(name);
  const used = Object.keys(names).filter((variable) => filter.includes(variable));
  if (!used.every((variable) => isPartOfLevel(names[variable]))) return undefined;
  return filter.replaceAll(/%[uc]/g, (variable) => names[variable] ?? '');
}

function accessAndFilter(rest: string): { readonly access: Access; readonly filter: string } {
  const { word, rest: filter } = cut(rest);
  const access = filter === '' ? undefined : ACCESS[word];
  return access === undefined ? { access: { publish: true, subscribe: true }, filter: rest } : { access, filter };
}

function cut(text: string): { readonly word: string; readonly rest: string } {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  return { word, rest };
}
