import t from 'tap';
import { execute, loopbackNetwork } from '../../support/simulated-container.js';

const rows = [
  { name: 'BusyBox sends the end of stdin', image: 'busybox', script: 'nc 127.0.0.1 83', stdout: 'data end ' },
  { name: 'OpenBSD does not', image: 'agnhost', script: 'nc -w 1 127.0.0.1 83', stdout: 'data ' },
  { name: 'unless it is asked to', image: 'agnhost', script: 'nc -N 127.0.0.1 83', stdout: 'data end ' },
];

t.test('what netcat does when stdin has ended', async t => {
  for (const { name, image, script, stdout } of rows) {
    const network = loopbackNetwork();
    const close = network.listen(83, stream => {
      stream.on('data', () => void stream.write('data '));
      stream.on('end', () => void stream.end('end '));
    });
    const found = await execute(['sh', '-c', `echo hello | ${script}`], { image, network });
    t.same(found, { stdout, stderr: '', exit: 0 }, name);
    close();
  }
});
