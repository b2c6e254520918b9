import type { ImageFacts } from './facts.js';

const NOBODY = 'What is not listed does what its Pod asks';

/** A table of lines: the first name, its ports, what it does. */
export function formatImages(images: readonly ImageFacts[]): string {
  const rows = [
    ['IMAGE', 'PORTS', 'WHAT IT DOES'],
    ...images.map(one => [one.names[0] ?? '', one.ports.join(','), one.about]),
  ];
  const widths = [0, 1].map(i => rows.reduce((width, row) => Math.max(width, (row[i] ?? '').length), 0) + 3);
  const lines = rows.map(row => `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('')}\n`).join('');
  return `${lines}\n${NOBODY} (its ports, its probes; a Job completes). "kubette images NAME" tells more of one.\n`;
}

/** All of one. */
export function formatImage({ names, ports, programs, shell, entrypoint, cmd, about }: ImageFacts): string {
  const words = (list: readonly string[], none = '-'): string => (list.length === 0 ? none : list.join(', '));
  return [
    `names      ${words(names)}`,
    `does       ${about}`,
    `ports      ${words(ports)}`,
    `programs   ${words(programs)}${shell ? `${programs.length === 0 ? '' : ', and'} a shell with the usual tools` : ''}`,
    `runs       ${[...entrypoint, ...cmd].join(' ')}`,
    '',
  ].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (list: readonly string[]): string => list.map(one => `\`${one}\``).join(', ');

const INTRODUCTION = `# Simulated images

\`kubette images\` lists them, \`kubette images NAME\` tells more of one, \`kubette images --output json\` is for programs. This page is
\`kubette images --output markdown\`. No image is pulled: a container runs a simulated program by its image's name, any tag of it
(but those that say that there is none, such as \`nginx:doesnotexist\`, which fail to pull). A name without an owner stands for everybody's
image of that name, on any registry; one with an owner for that owner's.

**Every other image does what its Pod asks**: it listens on the ports that the Pod names and on those of its probes, answers HTTP, HTTPS and
gRPC health checks there, passes exec probes, runs as a user that the Pod allows, and goes on until it is told to stop. Where ending is its
task it completes with exit code 0: an init container, a container of a Job or of another owner whose Pods are not started for ever, a hook of
Helm's, and a Pod of nobody's with \`restartPolicy: Never\` or \`OnFailure\` that has a command and names no port and no probe. Commands and scripts
made of a shell and its tools are run as they are, in any image. An Event \`Simulated\` says what became of it.

A command that an image of this list does not have fails as it would in the real one (\`executable file not found in $PATH\`), and an
Event \`NotSimulated\` (on \`kubectl exec\`, a line on stderr) says that it may be there in the real one: "not simulated; see \`kubette images\`".
Images of languages run no code. Where the Pod says what becomes of it - it names ports or probes, or is one that completes - that happens in its
place; where it does not, the interpreter says that it cannot, and exits with 1.

| image | ports | programs | what it does |
|---|---|---|---|
`;

/** docs/images.md. */
export function formatPage(images: readonly ImageFacts[]): string {
  const rows = images.map(({ names, ports, programs, shell, about }) => {
    const tools = [...(programs.length === 0 ? [] : [code(programs)]), ...(shell ? ['a shell'] : [])].join(', ');
    return `| ${code(names)} | ${ports.join(', ')} | ${tools === '' ? 'none' : tools} | ${cell(about)} |\n`;
  });
  return `${INTRODUCTION}${rows.join('')}`;
}
