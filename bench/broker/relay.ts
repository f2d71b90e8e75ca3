// Not a broker: what Node's sockets alone allow. Acknowledges whatever comes, and hands the bytes of every PUBLISH to all who
// subscribed to anything, in one write per chunk; or (`packet`) in one write per packet, as a broker that does not gather.
import { createServer, type Socket } from 'node:net';
import { announce } from './child.ts';
import { acknowledgement, FrameReader, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK } from './frames.ts';

const isPerPacket = process.argv[2] === 'packet';
const subscribers = new Set<Socket>();
const SUBSCRIBE = 8;
const CONNECT = 1;

function serve(socket: Socket): void {
  const acknowledgements: Buffer[] = [];
  const publications: Buffer[] = [];
  const acknowledge = (type: number, data: Buffer, at: number): void => {
    const packet = acknowledgement(type);
    data.copy(packet, 2, at, at + 2);
    acknowledgements.push(packet);
  };
  const reader = new FrameReader((header, data, from, to) => {
    const type = header >> 4;
    if (type === CONNECT) socket.write(Buffer.of(0x20, 2, 0, 0));
    if (type === SUBSCRIBE) {
      subscribers.add(socket);
      socket.write(Buffer.of(SUBACK << 4, 3, data[from]!, data[from + 1]!, data[to - 1]!));
    }
    if (type === PUBREC) acknowledge(PUBREL, data, from);
    if (type === PUBREL) acknowledge(PUBCOMP, data, from);
    if (type !== PUBLISH) return;
    const qos = (header >> 1) & 3;
    if (qos > 0) acknowledge(qos === 1 ? PUBACK : PUBREC, data, from + 2 + data.readUInt16BE(from));
    publications.push(data.subarray(from - (to - from < 128 ? 2 : 3), to));
  });
  const writeTo = (to: Socket, packets: readonly Buffer[]): void => {
    if (packets.length === 0) return;
    if (isPerPacket) for (const packet of packets) to.write(packet);
    else to.write(packets.length === 1 ? packets[0]! : Buffer.concat(packets));
  };
  socket.on('data', (chunk) => {
    reader.take(chunk);
    writeTo(socket, acknowledgements.splice(0));
    const packets = publications.splice(0);
    const gathered = isPerPacket || packets.length === 0 ? packets : [Buffer.concat(packets)];
    for (const subscriber of subscribers) writeTo(subscriber, gathered);
  });
  socket.on('close', () => subscribers.delete(socket));
  socket.on('error', () => socket.destroy());
}

announce(createServer({ noDelay: true }, serve));
