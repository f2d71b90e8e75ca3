// What a NATS user that somebody makes by name may be called, and may hear. Pure.

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const TOKEN = /^[^\s.*>]+$/;

export const isNatsUserName = (name: string): boolean => NAME.test(name);

/** What is wrong with a subject filter; `undefined`: nothing. Only what nodes say: answers, buckets and the server are nobody's to hear. */
export function hearingProblem(filter: string): string | undefined {
  const tokens = filter.split('.');
  if (tokens[0] !== 'skerry' || tokens.length < 2) return 'does not begin with "skerry."';
  const wrong = tokens.find((token, at) => !isPart(token, at === tokens.length - 1));
  return wrong === undefined ? undefined : `has "${wrong}" between its dots`;
}

const isPart = (token: string, isLast: boolean): boolean =>
  token === '*' || (isLast && token === '>') || TOKEN.test(token);
