import t from 'tap';
import { createScreen } from '../../../../src/cmd/up/screen.js';

const shown = (isTTY: boolean, env: Record<string, string> = {}, quiet = false): string => {
  let text = '';
  const screen = createScreen({ isTTY, write: (more: string) => (text += more) }, quiet, env);
  screen.done('API server', 'https://x');
  screen.ready(12.3, '/a folder/kubeconfig');
  screen.event('dns was ended by SIGKILL');
  screen.stopped({ name: undefined, dataDir: '/d', flags: {} });
  return text;
};

t.test('colours where it is a terminal that shows them', t => {
  t.match(shown(true), '\u001b[32m✓\u001b[0m API server');
  for (const [name, text] of [
    ['no terminal', shown(false)],
    ['NO_COLOR', shown(true, { NO_COLOR: '1' })],
    ['a dumb terminal', shown(true, { TERM: 'dumb' })],
  ] as const)
    t.notMatch(text, /\u001b/, name);
  t.end();
});

t.test('what is printed can be pasted', t => {
  t.match(shown(false), "export KUBECONFIG='/a folder/kubeconfig'");
  t.match(shown(false), 'ready in 12 ms');
  t.match(shown(false), '"kubette delete --data-dir /d" removes it');
  t.equal(shown(false, {}, true), 'dns was ended by SIGKILL\n', 'quiet: only what went wrong');
  t.end();
});
