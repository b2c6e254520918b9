import { parseDuration } from '../../machinery/duration.js';
import { FlagError } from '../process.js';

/** Flags and upstream's defaults: a flag whose default is true or false takes no argument. */
export type Flags = Readonly<Record<string, string | boolean>>;

export interface FlagGroup {
  /** Why these flags have no effect here, or are refused. */
  readonly why: string;
  readonly flags: Flags;
}

/** Every flag of a program, and what becomes of it. Flags of the last two are silent when they say what is so anyway. */
export interface FlagTable {
  readonly program: string;
  readonly honoured: Flags;
  /** Of those, what --help does not list: kits say what it lists. */
  readonly hidden?: readonly string[];
  /** Taken, with one line that says that it has no effect. */
  readonly harmless: readonly FlagGroup[];
  /** Refused by name. */
  readonly refused: readonly FlagGroup[];
}

export interface ParsedFlags {
  /** Honoured flags that were given, with what they were given each time. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
}

const everyFlag = ({ honoured, harmless, refused }: FlagTable): Flags =>
  Object.assign({}, honoured, ...[...harmless, ...refused].map(group => group.flags)) as Flags;

/** The flags as --help lists them, one on a line: kits look for names in it. */
export function helpText(table: FlagTable): string {
  const flags = everyFlag(table);
  const line = (name: string): string => {
    const value = flags[name];
    return `      --${name}${typeof value === 'boolean' ? '' : ' value'}\n`;
  };
  return `Usage:\n  ${table.program} [flags]\n\nFlags:\n${Object.keys(flags)
    .filter(name => table.hidden?.includes(name) !== true)
    .sort()
    .map(line)
    .join('')}`;
}

/** pflag's reading of a command line (github.com/spf13/pflag). @throws FlagError in its words */
export function readFlags(
  table: FlagTable,
  args: readonly string[],
): { given: [string, string][]; help: boolean; version: boolean } {
  const known = everyFlag(table);
  const given: [string, string][] = [];
  const rest = [...args];
  let [help, version] = [false, false];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') break;
    if (!arg.startsWith('-') || arg === '-')
      throw new FlagError(`${table.program} does not take any arguments, got ${JSON.stringify(arg)}`);
    if (arg === '-h' || arg === '--help') help = true;
    else if (arg === '--version' || arg.startsWith('--version=')) version = arg !== '--version=false';
    else given.push(readFlag(known, arg, rest));
  }
  const extra = rest[0];
  if (extra !== undefined)
    throw new FlagError(`${table.program} does not take any arguments, got ${JSON.stringify(extra)}`);
  return { given, help, version };
}

function readFlag(known: Flags, arg: string, rest: string[]): [string, string] {
  // -v is the one flag with a short form: "-v 4", "-v=4", "-v4".
  const short = !arg.startsWith('--');
  if (short && !arg.startsWith('-v'))
    throw new FlagError(`unknown shorthand flag: ${JSON.stringify(arg[1])} in ${arg}`);
  const at = arg.indexOf('=');
  const end = at < 0 ? arg.length : at;
  // Upstream's flags are the same with underscores.
  const name = short ? 'v' : arg.slice(2, end).replaceAll('_', '-');
  const standard = Object.hasOwn(known, name) ? known[name] : undefined;
  if (standard === undefined) throw new FlagError(`unknown flag: --${name}`);
  if (at >= 0) return [name, arg.slice(at + 1)];
  if (short && arg.length > 2) return [name, arg.slice(2)];
  if (typeof standard === 'boolean') return [name, 'true'];
  const value = rest.shift();
  if (value === undefined) throw new FlagError(`flag needs an argument: ${short ? "'v' in -v" : `--${name}`}`);
  return [name, value];
}

/** Go's strconv.ParseBool. */
const BOOLEANS: ReadonlyMap<string, string> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(text => [text, 'true'] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map(text => [text, 'false'] as const),
]);

function booleanText(name: string, value: string): string {
  const text = BOOLEANS.get(value);
  if (text !== undefined) return text;
  throw new FlagError(
    `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}

/** Whether a value says the same as the default, as "60s" does of "1m0s". */
function isDefault(value: string, standard: string | boolean): boolean {
  if (value === String(standard)) return true;
  if (typeof standard === 'boolean') return false;
  if (standard === '') return ['', '0', '[]'].includes(value) || parseDuration(value) === 0;
  return /^\d.*[a-z]$/.test(standard) && parseDuration(value) === parseDuration(standard);
}

/** What is to be done about a command line. @throws FlagError for flags that are unknown or refused */
export function parseFlags(table: FlagTable, args: readonly string[]): ParsedFlags {
  const { given, help, version } = readFlags(table, args);
  const known = everyFlag(table);
  const values = new Map<string, string[]>();
  const warnings: string[] = [];
  const groupOf = (groups: readonly FlagGroup[], name: string): FlagGroup | undefined =>
    groups.find(({ flags }) => Object.hasOwn(flags, name));
  for (const [name, said] of given) {
    const standard = known[name] ?? '';
    const value = typeof standard === 'boolean' ? booleanText(name, said) : said;
    if (Object.hasOwn(table.honoured, name)) {
      values.set(name, [...(values.get(name) ?? []), value]);
      continue;
    }
    if (isDefault(value, standard)) continue;
    const refused = groupOf(table.refused, name);
    if (refused !== undefined) throw new FlagError(`--${name} is not supported: ${refused.why}`);
    warnings.push(`--${name} has no effect: ${groupOf(table.harmless, name)?.why ?? ''}`);
  }
  return { values, warnings, help, version };
}
