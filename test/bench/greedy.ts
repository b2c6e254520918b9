import { Agent, get } from 'node:https';

/**
 * `greedy.js PORT TOKEN CLIENTS PATH`: so many clients that ask again as soon as they are answered, and that come back when
 * they are told to. In a process of its own, so that it takes no time from who measures.
 */
const [port = '', token = '', clients = '1', path = '/'] = process.argv.slice(2);

async function ask(agent: Agent): Promise<{ code: number; waitMs: number }> {
  return new Promise(resolve => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = get({ host: '127.0.0.1', port, path, headers, agent }, response => {
      response.resume();
      const waitMs = Number(response.headers['retry-after'] ?? 0) * 1000;
      response.once('end', () => resolve({ code: response.statusCode ?? 0, waitMs }));
    });
    asked.once('error', () => resolve({ code: 0, waitMs: 100 }));
  });
}

let answered = 0;
for (let i = 0; i < Number(clients); i++) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const forever = async (): Promise<never> => {
    for (;;) {
      const { waitMs } = await ask(agent);
      answered++;
      if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
    }
  };
  void forever();
}
setInterval(() => process.send?.(answered), 200);
