import t from 'tap';
import { httpCall } from '../../../src/containers/network/http-client.js';
import { loopbackNetwork } from '../../support/simulated-container.js';

t.test('TLS to who hangs up before the handshake ends as a reset, whenever that is', async t => {
  const rows: { name: string; turns: number }[] = [
    { name: 'at once', turns: 0 },
    { name: 'a turn later', turns: 1 },
    { name: 'some turns later', turns: 5 },
  ];
  for (const [i, { name, turns }] of rows.entries()) {
    const network = loopbackNetwork();
    network.listen(443 + i, stream => {
      const hangUp = (left: number): void => {
        if (left === 0) stream.destroy();
        else setImmediate(() => hangUp(left - 1));
      };
      hangUp(turns);
    });
    const call = httpCall(network, {
      to: { address: '127.0.0.1', port: 443 + i },
      method: 'GET',
      path: '/',
      headers: [['Host', 'x']],
      tls: { serverName: 'x', verify: false },
    });
    await t.rejects(call, Error, name);
  }
});
