// A certificate of a CA of its own, and requests that check it.
import { request as plainRequest, type IncomingHttpHeaders } from 'node:http';
import { request as secureRequest } from 'node:https';
import { loadCredentials } from '../../src/kube-api/security/credentials.ts';
import { tempDir } from './temp-dir.ts';

export interface TestCertificate {
  readonly ca: string;
  readonly key: string;
  readonly certificate: string;
}

export async function certificateFor(host: string): Promise<TestCertificate> {
  await using dir = await tempDir();
  const { authority, server } = await loadCredentials(dir.path, host, new Date());
  return { ca: authority.certificate, ...server };
}

export interface AskedWith {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** On a connection of its own. The path goes as it stands, dots and all. */
export function ask(base: string, path: string, { method = 'GET', headers = {}, body, ca }: AskedWith = {}) {
  const { protocol, hostname, port } = new URL(base);
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port, path, method, headers, agent: false, ...(ca && { ca }) };
  const ask = protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise<Answered>((resolve, reject) => {
    const asked = ask(to, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          ...{ status: response.statusCode ?? 0, headers: response.headers },
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    asked.once('error', reject).end(body);
  });
}
