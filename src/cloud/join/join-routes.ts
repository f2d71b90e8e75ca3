// Joining and renewing over HTTPS. Everybody may ask; what is refused costs the asker an attempt, a log line and a count.
import type { Clock } from '../../kit/clock.ts';
import { messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import {
  decodeChallengeRequest,
  decodeJoinRequest,
  decodeRenewRequest,
  JOIN_PATHS,
  type JoinRefusal,
} from '../../wire/join-messages.ts';
import type { HttpAnswer, HttpRequest, HttpRoute } from '../admin/http-route.ts';
import { AttemptLimit } from './attempt-limit.ts';
import { joinErrors } from './errors.ts';
import type { NodeDoor } from './node-door.ts';

export interface JoinRoutesTools {
  readonly door: NodeDoor;
  /** PEM. */
  readonly ca: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const STATUSES: Readonly<Record<string, number>> = {
  JOIN_REQUEST_INVALID: 400,
  JOIN_NAME_INVALID: 400,
  JOIN_KEY_INVALID: 400,
  JOIN_CLOCK_OFF: 400,
  JOIN_TOKEN_UNKNOWN: 401,
  RENEWAL_PROOF_INVALID: 401,
  NODE_NOT_JOINED: 404,
  JOIN_NAME_TAKEN: 409,
  JOIN_NAME_LOCAL: 409,
  JOIN_TOO_MANY: 429,
};

export class JoinRoutes {
  readonly routes: readonly HttpRoute[];
  readonly #tools: JoinRoutesTools;
  readonly #limit = new AttemptLimit();
  readonly #refusals = new Map<string, number>();

  constructor(tools: JoinRoutesTools) {
    this.#tools = tools;
    const { door, ca } = tools;
    this.routes = [
      {
        method: 'GET',
        path: JOIN_PATHS.ca,
        access: 'open',
        handle: () => Promise.resolve({ status: 200, text: ca() }),
      },
      this.#route(JOIN_PATHS.join, decodeJoinRequest, (asked, from) => door.join(asked, from.localHost)),
      this.#route(JOIN_PATHS.challenge, decodeChallengeRequest, (asked) => Promise.resolve(door.challenge(asked))),
      this.#route(JOIN_PATHS.renew, decodeRenewRequest, (asked, from) => door.renew(asked, from.localHost)),
    ];
  }

  /** How often each code was the answer. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  #route<T>(
    path: string,
    decode: (body: unknown) => T | undefined,
    grant: (asked: T, from: HttpRequest) => Promise<object>,
  ): HttpRoute {
    const handle = async (from: HttpRequest): Promise<HttpAnswer> => {
      try {
        return { status: 200, body: await this.#limited(from, () => grant(decodedOf(path, decode, from.body), from)) };
      } catch (error) {
        return this.#refused(path, from, error);
      }
    };
    return { method: 'POST', path, access: 'open', handle };
  }

  async #limited(from: HttpRequest, grant: () => Promise<object>): Promise<object> {
    const now = (): number => this.#tools.clock.monotonic() / 1000;
    const wait = this.#limit.begin(from.remoteAddress, now());
    if (wait !== undefined) throw joinErrors.JOIN_TOO_MANY({ wait });
    try {
      const granted = await grant();
      this.#limit.forgive(from.remoteAddress, now());
      return granted;
    } catch (error) {
      // What the hub cannot do is no attempt that failed: a whole site asks again when it can.
      if (!isRefusal(error)) this.#limit.forgive(from.remoteAddress, now());
      throw error;
    }
  }

  #refused(path: string, { remoteAddress }: HttpRequest, error: unknown): HttpAnswer {
    const told = isRefusal(error) ? error : joinErrors.JOIN_NOT_NOW({}, error);
    this.#refusals.set(told.code, (this.#refusals.get(told.code) ?? 0) + 1);
    this.#tools.logger.warn({ path, remoteAddress, code: told.code, reason: messageOf(told) }, 'a node was not let in');
    const body: JoinRefusal = { error: told.code, message: told.message, time: this.#tools.clock.now() };
    return { status: STATUSES[told.code] ?? (told.kind === 'refused' ? 403 : 503), body };
  }
}

/** Anything else, such as a Kubernetes API that is away, is the hub's own business, and only its log tells. */
const isRefusal = (error: unknown): error is SkerryError => error instanceof SkerryError && error.code in joinErrors;

function decodedOf<T>(path: string, decode: (body: unknown) => T | undefined, body: unknown): T {
  const decoded = decode(body);
  if (decoded === undefined) throw joinErrors.JOIN_REQUEST_INVALID({ path });
  return decoded;
}
