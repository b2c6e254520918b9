import type { Program } from '../process.js';
import { parseOptions } from './options.js';
import { runOther } from './run-other.js';

/** env [-i0] [-u NAME]... [NAME=VALUE]... [PROGRAM [ARGUMENT]...] */
export const env: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'iu:0',
    stopAtOperand: true,
    long: { 'ignore-environment': 'i', unset: 'u:' },
  });
  const environment: Record<string, string> = options.has('i') ? {} : { ...process.env };
  const rest = [...options.operands];
  if (rest[0] === '-') {
    rest.shift();
    for (const name of Object.keys(environment)) delete environment[name];
  }
  for (const name of options.all('u')) delete environment[name];
  for (let next = rest[0]; next?.includes('=') === true; next = rest[0]) {
    const at = next.indexOf('=');
    environment[next.slice(0, at)] = next.slice(at + 1);
    rest.shift();
  }
  if (rest.length > 0) return runOther(process, rest, environment);
  const end = options.has('0') ? '\0' : '\n';
  for (const [name, value] of Object.entries(environment)) await process.stdout.write(`${name}=${value}${end}`);
  return 0;
};

/** printenv [NAME]... */
export const printenv: Program = async process => {
  const names = process.args.slice(1);
  if (names.length === 0) return env({ ...process, args: ['env'] });
  let status = 0;
  for (const name of names) {
    const value = process.env[name];
    if (value === undefined) status = 1;
    else await process.stdout.write(`${value}\n`);
  }
  return status;
};
