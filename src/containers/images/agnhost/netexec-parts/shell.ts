import { captured, emptyInput } from '../../../io.js';
import { spawn } from '../../../spawn.js';
import { goJson, log, type Handler } from './handler.js';

export const shell: Handler = async (server, _request, response, form) => {
  const { process } = server;
  const command = form.get('shellCommand') ?? form.get('cmd') ?? '';
  log(server, `GET /shell?cmd=${command}`);
  const program = await process.container.program('sh');
  const text = captured();
  const { env, cwd, signal: parent } = process;
  const code =
    program === undefined
      ? 127
      : await spawn(process.container, {
          args: ['/bin/sh', '-c', command],
          program,
          env,
          cwd,
          stdin: emptyInput,
          stdout: text,
          stderr: text,
          parent,
        }).exited;
  const output = text.text();
  response.end(
    goJson({
      ...(code === 0 ? {} : { error: `exit status ${code}` }),
      ...(output === '' ? {} : { output }),
    }),
  );
};
