// What a node that joined keeps of it, readable by its owner alone and replaced whole: a crash leaves one or the other.
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../../kit/errors.ts';
import { asObject, asString, parseJson } from '../../wire/json.ts';
import { decodeNodeIdentity, type NodeIdentity } from '../../wire/node-identity.ts';
import { identityErrors } from './errors.ts';

/** A join under way: the key that goes with the token, so that one which breaks off is tried again with the same. */
export interface Joining {
  readonly hub: string;
  readonly node: string;
  /** Which token; never its secret. */
  readonly tokenId: string;
  readonly seed: string;
}

export interface Joined extends NodeIdentity {
  readonly hub: string;
  readonly ca: string;
  readonly tokenId: string;
  readonly nats: { readonly url: string; readonly jwt: string; readonly seed: string };
}

export class IdentityFiles {
  readonly #identity: string;
  readonly #joining: string;

  constructor(dataDir: string) {
    this.#identity = join(dataDir, 'identity.json');
    this.#joining = join(dataDir, 'joining.json');
  }

  /** Rejects with IDENTITY_UNREADABLE where there is one that cannot be understood. */
  async joined(): Promise<Joined | undefined> {
    const text = await readIfThere(this.#identity);
    if (text === undefined) return undefined;
    const identity = decodeNodeIdentity(text);
    const problem = 'problem' in identity ? identity.problem : undefined;
    const joined =
      'problem' in identity ? undefined : asJoined(identity, asString(asObject(parseJson(text))?.['tokenId']));
    if (joined !== undefined) return joined;
    throw identityErrors.IDENTITY_UNREADABLE({
      file: this.#identity,
      problem: problem ?? 'is not of a node that joined',
    });
  }

  async keepJoined(joined: Joined): Promise<void> {
    await writePrivate(this.#identity, joined);
    await rm(this.#joining, { force: true });
  }

  /** The one under way; one that cannot be read is as good as none: nothing has come of it. */
  async joining(): Promise<Joining | undefined> {
    const raw = asObject(parseJson((await readIfThere(this.#joining)) ?? '')) ?? {};
    const [hub, node] = [asString(raw['hub']), asString(raw['node'])];
    const [tokenId, seed] = [asString(raw['tokenId']), asString(raw['seed'])];
    if (hub === undefined || node === undefined || tokenId === undefined || seed === undefined) return undefined;
    return { hub, node, tokenId, seed };
  }

  keepJoining(joining: Joining): Promise<void> {
    return writePrivate(this.#joining, joining);
  }
}

function asJoined({ node, hub, ca, nats }: NodeIdentity, tokenId = ''): Joined | undefined {
  return hub === undefined || ca === undefined || !('jwt' in nats) ? undefined : { node, hub, ca, tokenId, nats };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw identityErrors.IDENTITY_UNREADABLE({ file, problem: 'cannot be read' }, error);
  }
}

async function writePrivate(file: string, content: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.new`;
  // One that a crash left, whatever its mode is.
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
