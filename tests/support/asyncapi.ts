// docs/reference/asyncapi.yaml as something to check messages with: which channel an address belongs to, and whether what was said
// there is what its messages are.
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';

interface Ref {
  readonly $ref: string;
}

interface Channel {
  readonly address: string;
  readonly servers: readonly Ref[];
  readonly parameters?: Readonly<Record<string, Ref>>;
  readonly messages: Readonly<Record<string, Ref>>;
}

interface Message {
  readonly contentType?: string;
  readonly headers?: object;
  readonly payload: object;
  readonly examples?: readonly { readonly payload: unknown }[];
}

export interface AsyncApi {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, { readonly action: string; readonly channel: Ref }>>;
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>;
    /** `x-mqtt`: stands for a wildcard of MQTT, and not for any one level. */
    readonly parameters: Readonly<Record<string, { readonly 'x-mqtt'?: '+' | '#' }>>;
  };
}

export type Road = 'mqtt' | 'nats';

/** As it came. */
export interface Said {
  readonly address: string;
  readonly payload: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export const readAsyncApi = (): AsyncApi => parse(readFileSync('docs/reference/asyncapi.yaml', 'utf8')) as AsyncApi;

const roadOf = ({ servers }: Channel): Road => (servers.some(({ $ref }) => $ref.endsWith('/cloud')) ? 'nats' : 'mqtt');
const nameIn = ({ $ref }: Ref): string => $ref.split('/').at(-1) ?? '';

export class AsyncApiChecker {
  readonly #api: AsyncApi;
  readonly #ajv = new Ajv({ strict: false, validateSchema: false });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #forms: readonly { readonly name: string; readonly road: Road; readonly form: RegExp }[];

  constructor(api = readAsyncApi()) {
    this.#api = api;
    this.#ajv.addSchema(api, 'api');
    this.#forms = Object.entries(api.channels).map(([name, channel]) => ({
      name,
      road: roadOf(channel),
      form: this.#formOf(channel),
    }));
  }

  /** The address of each channel, as the pages write them: `<name>` for a parameter, and wildcards. */
  addresses(road: Road): readonly string[] {
    const channels = Object.values(this.#api.channels).filter((channel) => roadOf(channel) === road);
    return channels.map(({ address }) =>
      address.replaceAll(/\{(\w+)\}/g, (_, name: string) => this.#wildcard(name) ?? `<${name}>`),
    );
  }

  /** Names of the channels that an address belongs to; there should be one. */
  channelsOf(road: Road, address: string): readonly string[] {
    return this.#forms.filter((one) => one.road === road && one.form.test(address)).map(({ name }) => name);
  }

  /** What is wrong with a message; nothing where it is one of its channel's. */
  problems(road: Road, said: Said): readonly string[] {
    const channels = this.channelsOf(road, said.address);
    const [name] = channels;
    if (name === undefined || channels.length > 1)
      return [`${said.address} belongs to ${channels.length === 0 ? 'no channel' : channels.join(' and ')}`];
    const messages = Object.values(this.#api.channels[name]?.messages ?? {});
    const tried = messages.map((message) => this.#misfits(nameIn(message), said));
    return tried.some((misfits) => misfits.length === 0) ? [] : tried.flat();
  }

  /** The examples of the document that are not what their own schemas say. */
  wrongExamples(): readonly string[] {
    return Object.entries(this.#api.components.messages).flatMap(([name, { examples = [] }]) =>
      examples.flatMap(({ payload }) => this.#invalid(name, 'payload', payload)),
    );
  }

  #misfits(message: string, { payload, headers = {} }: Said): readonly string[] {
    const { contentType = 'application/json', headers: schema } = this.#api.components.messages[message] ?? {};
    const text = Buffer.from(payload).toString('utf8');
    const body = contentType.endsWith('json') ? parsed(text) : text;
    const undescribed = Object.keys(headers).map((name) => `${message}: header ${name}`);
    return [
      ...this.#invalid(message, 'payload', body),
      ...(schema === undefined ? undescribed : this.#invalid(message, 'headers', headers)),
    ];
  }

  #invalid(message: string, part: 'payload' | 'headers', value: unknown): readonly string[] {
    const pointer = `api#/components/messages/${message}/${part}`;
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: pointer });
    this.#validators.set(pointer, validate);
    if (validate(value)) return [];
    return [`${message}: ${this.#ajv.errorsText(validate.errors, { dataVar: part })}`];
  }

  #formOf(channel: Channel): RegExp {
    const { address, parameters = {} } = channel;
    const anyName = roadOf(channel) === 'nats' ? '[^.]+' : '[^/]+';
    const source = address
      .split(/(\/?\{\w+\})/)
      .map((piece) => {
        const [, slash = '', name] = /^(\/?)\{(\w+)\}$/.exec(piece) ?? [];
        if (name === undefined) return literally(piece);
        if (parameters[name] === undefined) throw new Error(`${address} does not say what {${name}} is`);
        if (this.#wildcard(name) === '#') return `(${slash}.*)?`;
        return `${slash}${this.#wildcard(name) === '+' ? '(?!\\$)[^/]*' : anyName}`;
      })
      .join('');
    return new RegExp(`^${source}$`);
  }

  #wildcard(name: string): string | undefined {
    return this.#api.components.parameters[name]?.['x-mqtt'];
  }
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
