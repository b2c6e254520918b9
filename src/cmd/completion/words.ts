import type { Command } from 'commander';

/** What may stand behind a command: "", "up", "node add". */
export interface Place {
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Word[];
}

export interface Word {
  readonly text: string;
  /** One line. */
  readonly about: string;
}

/** The program and all commands below it. Hidden flags stay hidden. */
export function placesOf(command: Command, path = ''): Place[] {
  const place: Place = {
    path,
    commands: command.commands.map(one => ({ text: one.name(), about: one.description() })),
    flags: command.options
      .filter(option => !option.hidden)
      .map(({ long, short, description }) => ({ text: long ?? short ?? '', about: description })),
  };
  return [place, ...command.commands.flatMap(one => placesOf(one, path === '' ? one.name() : `${path} ${one.name()}`))];
}
