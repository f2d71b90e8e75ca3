// Clients, and for which devices each was the last to speak. One is remembered while it is connected, or while it speaks for any:
// of those something is still to be said. Pure bookkeeping.

export interface Spoken<Device> {
  /** The client that spoke last for the device, while that is connected, or is given time to come back. */
  speaker: Speaker<Device> | undefined;
}

export interface Speaker<Device> {
  readonly id: string;
  isConnected: boolean;
  /** Those that it was the last to speak for. */
  readonly devices: Set<Device>;
  /** It spoke for a second device in this connection: that it is gone says of none of them that they are. */
  isMapper: boolean;
}

export class Speakers<Device extends Spoken<Device>> {
  readonly #clients = new Map<string, Speaker<Device>>();

  /** Clients that are remembered. */
  get count(): number {
    return this.#clients.size;
  }

  isConnected(id: string): boolean {
    return this.#clients.get(id)?.isConnected === true;
  }

  known(id: string): Speaker<Device> | undefined {
    return this.#clients.get(id);
  }

  /** The client of that id; one that was not known is not connected. */
  of(id: string): Speaker<Device> {
    const known = this.#clients.get(id);
    if (known !== undefined) return known;
    const made: Speaker<Device> = { id, isConnected: false, devices: new Set(), isMapper: false };
    this.#clients.set(id, made);
    return made;
  }

  speaksFor(client: Speaker<Device>, device: Device): void {
    if (device.speaker === client) return;
    this.release(device);
    device.speaker = client;
    client.devices.add(device);
    if (client.devices.size > 1) client.isMapper = true;
  }

  /** Nobody speaks for the device any more. */
  release(device: Device): void {
    const { speaker } = device;
    device.speaker = undefined;
    speaker?.devices.delete(device);
    if (speaker !== undefined) this.dropIdle(speaker);
  }

  /** Forgets a client that has gone and of whose devices nothing is to be said. */
  dropIdle(client: Speaker<Device>): void {
    if (!client.isConnected && client.devices.size === 0) this.#clients.delete(client.id);
  }
}
