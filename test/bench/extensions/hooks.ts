import { fork } from 'node:child_process';
import { once } from 'node:events';

export interface Hooks {
  /** What a configuration says of one: `clientConfig`. */
  at(path: string): { readonly url: string; readonly caBundle: string };
  stop(): void;
}

/** A server of webhooks, as a process of its own. */
export async function startHooks(): Promise<Hooks> {
  const child = fork(new URL('hook-server.js', import.meta.url), { stdio: 'inherit' });
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }];
  return {
    at: path => ({ url: `https://127.0.0.1:${port}${path}`, caBundle: Buffer.from(ca).toString('base64') }),
    stop: () => void child.kill(),
  };
}
