import type { Command } from 'commander';
import { fail, FlagError } from '../process.js';
import { isShell, SHELLS, type Shell } from './shells.js';
import { placesOf, type Place, type Word } from './words.js';

const texts = ({ commands, flags }: Place): string => [...commands, ...flags].map(({ text }) => text).join(' ');
/** Commands that have commands of their own, beside the program itself. */
const groups = (places: readonly Place[]): string[] =>
  places.filter(({ path, commands }) => path !== '' && commands.length > 0).map(({ path }) => path);

/** Walks from word `first` to the current one: sets `at` to the command that stands there. bash and zsh read it alike. */
const walk = (places: readonly Place[], first: number, current: string, word: string): string =>
  `  local at= word i
  for ((i = ${first}; i < ${current}; i++)); do
    word=${word}
    case $word in -*) continue ;; esac
    if [ -z "$at" ]; then at=$word; continue; fi
    case $at in ${groups(places).join('|')}) at="$at $word" ;; esac
  done`;
const cases = (places: readonly Place[], say: (words: string) => string): string =>
  `  case $at in
${places.map(place => `    '${place.path}') ${say(texts(place))} ;;`).join('\n')}
  esac`;

const bash = (places: readonly Place[]): string => `_kubette() {
${walk(places, 1, 'COMP_CWORD', '${COMP_WORDS[i]}')}
  local words=
${cases(places, words => `words='${words}'`)}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kubette kubette
`;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const zsh = (places: readonly Place[]): string => `#compdef kubette
_kubette() {
${walk(places, 2, 'CURRENT', '${words[i]}')}
${cases(places, words => `compadd -- ${words}`)}
  _files
}
compdef _kubette kubette
`;

function fish(places: readonly Place[]): string {
  const line = (condition: string, what: string, { about }: Word): string =>
    `complete -c kubette -n ${quoted(condition)} ${what} -d ${quoted(about)}`;
  return `${places
    .flatMap(({ path, commands, flags }) => {
      const here =
        path === '' ? '__fish_use_subcommand' : `string match -q -- ${quoted(`* ${path} *`)} (commandline -cp)`;
      return [
        ...commands.map(word => line(here, `-f -a ${word.text}`, word)),
        ...flags.map(word => line(here, `-l ${word.text.replace(/^-+/, '')}`, word)),
      ];
    })
    .join('\n')}\n`;
}

const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = { bash, zsh, fish };

/** The script of a shell. `program`: with all commands. */
export const completionOf = (shell: Shell, program: Command): string => SCRIPTS[shell](placesOf(program));

/** Prints it. */
export function printCompletion(shell: string, program: Command): void {
  try {
    if (!isShell(shell))
      throw new FlagError(`there is no completion for ${JSON.stringify(shell)}; want ${SHELLS.join(', ')}`);
    process.stdout.write(completionOf(shell, program));
  } catch (error) {
    fail('completion', error);
  }
}
