import type { IncomingRequest } from '../pipeline/exchange.js';
import type { OwnEndpoint } from '../dial/kubelet-address.js';

/** Where the client has reached the API server. */
export const ownEndpoint = ({ socket }: IncomingRequest): OwnEndpoint => ({
  address: socket.localAddress,
  port: socket.localPort,
});
