import t from 'tap';
import { createSockets } from '../../../../src/nodeagent/network/sockets.js';

t.test('on which ports something listens, and which of them others reach', async t => {
  const sockets = createSockets('pod default/a');
  const handler = (): void => undefined;
  sockets.listen(80, handler, false);
  sockets.listen(81, handler, true);
  sockets.listen(82, handler, false, '127.0.0.1');
  const close = sockets.listen(83, handler, true);
  sockets.listen(83, handler, false, '10.244.0.2');
  sockets.listen(132, handler, false, undefined, 'sctp');
  sockets.listenUdp(53, () => undefined);
  t.same(sockets.ports(), { tcp: [80, 81, 82, 83], udp: [53], sctp: [132], loopback: [81, 82] });
  close();
  t.same(sockets.ports().loopback, [81, 82], 'another listener of the port is left');
});
