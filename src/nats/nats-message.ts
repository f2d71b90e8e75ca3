// A message as a link hands it over.

export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  header(name: string): string | undefined;
  /** All of that name, in their order. */
  values(name: string): readonly string[];
  /** The server's status line code, where it sent one (404: nothing there; 503: nobody listens). */
  readonly status: number | undefined;
}
