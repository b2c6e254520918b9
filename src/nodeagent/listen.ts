import type { AddressInfo, Server } from 'node:net';

/** Listens and gives the port, which is the system's choice where 0 is asked for. @throws Error when it cannot be opened */
export const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
