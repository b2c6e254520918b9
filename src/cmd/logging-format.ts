import { Option } from 'commander';

/** The flag of every command that logs. */
export const loggingFormat = (): Option =>
  new Option('--logging-format <format>', 'of what is logged: text for people, json for programs')
    .choices(['text', 'json'])
    .default('text');
