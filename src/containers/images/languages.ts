import type { Process, Program } from '../process.js';
import { inputLines } from './input-lines.js';
import { lazy } from './lazy.js';
import { notSimulated } from './not-simulated.js';
import type { Interpreter, KnownImage } from './types.js';

/** One program of a language: what it says of itself, and when it is to run code. */
interface Tool {
  readonly names: readonly string[];
  readonly version: string;
  /** Arguments that ask for the version. */
  readonly versionFlags: readonly string[];
  /** Whether it reads code when nothing is named; else it does as `idle` says. */
  readonly readsInput: boolean;
  /** What it prints instead. */
  readonly idle?: string;
}

/** What asks for a prompt, which is there anyway. */
const INTERACTIVE = new Set(['-i', '-a']);

/** Without a terminal, an interpreter that is given nothing to read ends; code that it is given is not run. */
const interpreterProgram =
  ({ version, versionFlags, readsInput, idle = '' }: Tool): Program =>
  async process => {
    const { stdout, tty } = process;
    const args = process.args.filter(word => !INTERACTIVE.has(word));
    if (versionFlags.includes(args[1] ?? '')) {
      await stdout.write(`${version}\n`);
      return 0;
    }
    if (args.length > 1) return cannotRun(process);
    if (!readsInput) {
      await stdout.write(idle);
      return 0;
    }
    if (tty) await stdout.write(`${version} (simulated: it runs no code)\n>>> `);
    for await (const line of inputLines(process)) {
      if (line.trim() === '') continue;
      if (tty && /^(?:exit|quit|\.exit)/.test(line.trim())) return 0;
      await cannotRun(process);
      if (!tty) return 1;
      await stdout.write('>>> ');
    }
    return 0;
  };

const cannotRun = (process: Process): Promise<number> =>
  notSimulated(
    process,
    `running ${process.args.slice(1, 2).join('').slice(0, 64) || 'code'}, as no interpreter is here`,
  );

/** Whether the arguments name code: all but the version and nothing at all. */
const runsCode =
  ({ versionFlags }: Tool): Interpreter =>
  args => {
    const first = args.find(word => !INTERACTIVE.has(word));
    return first !== undefined && !versionFlags.includes(first);
  };

interface Language {
  readonly names: readonly string[];
  readonly about: string;
  readonly cmd: readonly string[];
  readonly tools: readonly Tool[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Programs that do run. */
  readonly programs?: KnownImage['programs'];
  readonly interpreters?: Readonly<Record<string, Interpreter>>;
}

function languageImage({ tools, programs = {}, interpreters = {}, ...rest }: Language): KnownImage {
  const named = <T>(make: (tool: Tool) => T): Record<string, T> =>
    Object.fromEntries(tools.flatMap(tool => tool.names.map(name => [name, make(tool)])));
  return {
    ...rest,
    ports: [],
    entrypoint: [],
    programs: { ...named(interpreterProgram), ...programs },
    interpreters: { ...named(runsCode), ...interpreters },
    userland: true,
  };
}

const tool = (names: string, version: string, ...versionFlags: readonly string[]): Tool => ({
  names: names.split(' '),
  version,
  versionFlags: versionFlags.length === 0 ? ['--version', '-v', '-V'] : versionFlags,
  readsInput: true,
});

/** A tool that is no interpreter: a package manager, a build. */
const helper = (names: string, version: string, ...versionFlags: readonly string[]): Tool => ({
  ...tool(names, version, ...versionFlags),
  readsInput: false,
});

const PYTHON = tool('python python3', 'Python 3.13.7', '--version', '-V');
const python = lazy(async () => (await import('./python.js')).python(interpreterProgram(PYTHON)));
const isFileServer = ([first, module]: readonly string[]): boolean => first === '-m' && module === 'http.server';
const pythonRunsCode: Interpreter = args => runsCode(PYTHON)(args) && !isFileServer(args);

const CODE = 'runs no code: a Pod with ports or probes serves them, a Job completes';

export const languageImages: readonly KnownImage[] = (
  [
    {
      names: ['python', 'pypy'],
      about: `python -m http.server serves files; else ${CODE}`,
      cmd: ['python3'],
      tools: [
        PYTHON,
        helper('pip pip3', 'pip 25.2 from /usr/local/lib/python3.13/site-packages/pip (python 3.13)'),
        helper('gunicorn uvicorn flask celery poetry uv', 'simulated'),
      ],
      programs: { python, python3: python },
      interpreters: { python: pythonRunsCode, python3: pythonRunsCode },
    },
    {
      names: ['library/node', 'bitnami/node', 'chainguard/node'],
      about: CODE,
      cmd: ['node'],
      tools: [
        tool('node nodejs', 'v22.19.0', '--version', '-v'),
        helper('npm npx', '10.9.3'),
        helper('yarn pnpm corepack', '1.22.22'),
      ],
    },
    {
      names: ['golang'],
      about: `go version; ${CODE}`,
      cmd: ['bash'],
      workingDir: '/go',
      env: { GOLANG_VERSION: '1.25.1', GOPATH: '/go', GOTOOLCHAIN: 'local' },
      tools: [helper('go', 'go version go1.25.1 linux/amd64', 'version'), helper('gofmt', '', '')],
    },
    {
      names: ['ruby', 'jruby'],
      about: CODE,
      cmd: ['irb'],
      tools: [
        tool('ruby', 'ruby 3.4.5 (simulated) [x86_64-linux]'),
        tool('irb', 'irb 1.15.2'),
        helper('gem', '3.6.9'),
        helper('bundle bundler rails rake puma', 'simulated'),
      ],
    },
    {
      names: ['openjdk', 'eclipse-temurin', 'amazoncorretto', 'maven', 'gradle', 'ibm-semeru-runtimes'],
      about: CODE,
      cmd: ['jshell'],
      tools: [
        {
          ...helper('java', 'openjdk version "21.0.8" 2025-07-15 LTS (simulated)', '-version', '--version'),
          idle: 'Usage: java [options] <mainclass> [args...]\n',
        },
        helper('javac', 'javac 21.0.8', '-version', '--version'),
        tool('jshell', 'jshell 21.0.8'),
        helper('mvn mvnw', 'Apache Maven 3.9.11 (simulated)'),
        helper('gradle gradlew', 'Gradle 9.0.0 (simulated)'),
      ],
    },
    {
      names: ['php'],
      about: CODE,
      cmd: ['php', '-a'],
      tools: [tool('php', 'PHP 8.4.12 (simulated)'), helper('php-fpm apache2-foreground composer', 'simulated')],
    },
    {
      names: ['perl'],
      about: CODE,
      cmd: ['perl'],
      tools: [tool('perl', 'This is perl 5, version 42 (simulated)')],
    },
    {
      names: ['rust'],
      about: CODE,
      cmd: ['bash'],
      tools: [helper('cargo', 'cargo 1.89.0'), helper('rustc', 'rustc 1.89.0')],
    },
  ] satisfies readonly Language[]
).map(languageImage);
