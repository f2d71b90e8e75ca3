// Aedes as its own documentation starts it: sessions in memory, and nothing of ours.
import { Aedes } from 'aedes';
import { createServer } from 'node:net';
import { announce } from './child.ts';

const aedes = await Aedes.createBroker();
const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
announce(server);
