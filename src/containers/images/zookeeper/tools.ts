import { NetworkError } from '../../network/errors.js';
import type { Program } from '../../process.js';
import { dial } from '../connections.js';
import { notSimulated } from '../not-simulated.js';

/** zkServer.sh status; start-foreground is the server. */
export const zkServer =
  (serve: Program): Program =>
  async process => {
    const { args, env, stdout, stderr } = process;
    const [, what = ''] = args;
    if (what === 'start-foreground') return serve(process);
    if (what !== 'status') return notSimulated(process, what.slice(0, 64));
    await stderr.write('ZooKeeper JMX enabled by default\n');
    try {
      const port = Number(env['ZOO_PORT_NUMBER'] ?? env['ZOOKEEPER_CLIENT_PORT'] ?? '2181');
      const connection = await dial(process, '127.0.0.1', port);
      await connection.write('srvr');
      const answer = (await connection.reader.any())?.toString('utf8') ?? '';
      connection.stream.destroy();
      const mode = answer.split('\n').find(line => line.startsWith('Mode: '));
      if (mode !== undefined) {
        await stdout.write(`Client port found: ${port}. Client address: localhost.\n${mode}\n`);
        return 0;
      }
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
    await stderr.write('Error contacting service. It is probably not running.\n');
    return 1;
  };
