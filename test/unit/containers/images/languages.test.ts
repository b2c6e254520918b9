import t from 'tap';
import { runImage } from '../../../support/running-image.js';
import { execute } from '../../../support/simulated-container.js';

t.setTimeout(180_000);

/** Without a terminal an interpreter has nothing to read. */
const ENDS = [
  'python',
  'library/node',
  'ruby',
  'golang',
  'eclipse-temurin',
  'php',
  'perl',
  'rust',
  'debian',
  'alpine',
  'bash',
];

for (const image of ENDS)
  t.test(`${image} ends when nothing is told`, async t => {
    t.equal((await runImage(image)).exit, 0);
  });

const HINT = /not simulated; see `kubette images`/;
const TABLE: { image: string; command: string[]; stdin?: string; stdout?: RegExp; stderr?: RegExp; exit: number }[] = [
  { image: 'python', command: ['python', '--version'], stdout: /^Python 3\.\d+/, exit: 0 },
  { image: 'python', command: ['python3', '-c', 'print(1)'], stderr: HINT, exit: 1 },
  { image: 'python', command: ['python', 'app.py'], stderr: HINT, exit: 1 },
  { image: 'python', command: ['python'], stdin: 'print(1)\n', stderr: HINT, exit: 1 },
  { image: 'python', command: ['pip', 'install', 'flask'], stderr: HINT, exit: 1 },
  {
    image: 'python',
    command: ['python', '-m', 'http.server', '--what'],
    stderr: /unrecognized arguments: --what/,
    exit: 2,
  },
  { image: 'library/node', command: ['node', '-v'], stdout: /^v\d+\./, exit: 0 },
  { image: 'library/node', command: ['node', '-e', 'console.log(1)'], stderr: HINT, exit: 1 },
  { image: 'library/node', command: ['npm', 'start'], stderr: HINT, exit: 1 },
  { image: 'golang', command: ['go', 'version'], stdout: /^go version go1\./, exit: 0 },
  { image: 'golang', command: ['go', 'run', '.'], stderr: HINT, exit: 1 },
  { image: 'ruby', command: ['ruby', '-e', 'puts 1'], stderr: HINT, exit: 1 },
  { image: 'openjdk', command: ['java', '-version'], stdout: /^openjdk version/, exit: 0 },
  { image: 'openjdk', command: ['java', '-jar', 'app.jar'], stderr: HINT, exit: 1 },
];

for (const { image, command, stdin, stdout, stderr, exit } of TABLE)
  t.test(`${image}: ${command.join(' ')}`, async t => {
    const said = await execute(command, { image, ...(stdin === undefined ? {} : { stdin }) });
    t.equal(said.exit, exit);
    t.match(said.stdout, stdout ?? /^$/);
    t.match(said.stderr, stderr ?? /^$/);
  });
