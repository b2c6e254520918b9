import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ErrorObject } from 'ajv';
import type { Command, Option } from 'commander';
import { nodeProblems, type NodeDescription } from '../../cluster/node-description.js';
import { nearest } from '../../machinery/nearest.js';
import { readBehaviour } from '../../testing/behaviour.js';
import type { BehaviourRule, ToldBehaviour } from '../../testing/behaviour-types.js';
import type { ApiObject } from '../../testing/types.js';
import { FlagError, Problems } from '../process.js';
import { configSchema, flagsInFile, isSwitch, settingName, type Schema } from './config-schema.js';
import { MAX_NODES } from './limits.js';

/** What a file for `up --config` says. Paths are absolute. */
export interface UpConfig {
  readonly nodes?: readonly NodeDescription[];
  readonly objects?: readonly (string | ApiObject)[];
  /** What containers are told to do, beside what a file of flags.behaviour says. */
  readonly rules: readonly BehaviourRule[];
  /** By their attribute names, as commander has them. */
  readonly flags: Readonly<Record<string, string | boolean>>;
}

/** As it stands in the file, after the schema has been asked. */
interface Written {
  readonly nodes?: readonly WrittenNode[];
  readonly objects?: readonly (string | ApiObject)[];
  readonly images?: Readonly<Record<string, ToldBehaviour>>;
  readonly behaviour?: string | readonly BehaviourRule[];
  readonly flags?: Readonly<Record<string, boolean | number | string | readonly string[]>>;
}

type WrittenNode = Omit<NodeDescription, 'capacity'> & {
  readonly count?: number;
  readonly capacity?: Readonly<Record<string, string | number>>;
};

/** @throws Problems */
export async function readConfig(file: string, up: Command): Promise<UpConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FlagError(`--config: ${(error as Error).message}`);
  });
  return configOf(text, file, up);
}

/** @throws Problems */
export async function configOf(text: string, file: string, up: Command): Promise<UpConfig> {
  const value = await parsed(text, file);
  const schema = configSchema(up);
  // Of a CommonJS module in a bundle there is only the default.
  const { Ajv2020 } = (await import('ajv/dist/2020.js')).default;
  const validate = new Ajv2020({ allErrors: true, strictTypes: false, verbose: true }).compile(schema);
  if (!validate(value)) throw inFile(file, problemsOf(validate.errors ?? []));
  const { nodes, objects, images = {}, behaviour = [], flags = {} } = value as Written;
  const at = (path: string): string => resolve(dirname(file), path);
  const problems = (nodes ?? []).flatMap(problemsOfNode);
  const described = nodes?.flatMap(nodesOf);
  if ((described?.length ?? 0) > MAX_NODES) problems.push(`nodes: want at most ${MAX_NODES}`);
  const rules: BehaviourRule[] = [
    ...(typeof behaviour === 'string' ? [] : behaviour),
    ...Object.entries(images).map(([image, told]) => ({ match: { image }, behaviour: told })),
  ];
  problems.push(...(await problemsOfRules(rules)));
  if (problems.length > 0) throw inFile(file, problems);
  return {
    rules,
    ...(described === undefined ? {} : { nodes: described }),
    ...(objects === undefined
      ? {}
      : { objects: objects.map(object => (typeof object === 'string' ? at(object) : object)) }),
    flags: {
      ...(typeof behaviour === 'string' ? { behaviour: at(behaviour) } : {}),
      ...Object.fromEntries(
        flagsInFile(up).flatMap(option => {
          const given = flags[settingName(option)];
          return given === undefined ? [] : [[option.attributeName(), flagValue(option, given, at)]];
        }),
      ),
    },
  };
}

/** What only their reader knows: durations, quantities, what goes together. */
async function problemsOfRules(rules: readonly BehaviourRule[]): Promise<string[]> {
  if (rules.length === 0) return [];
  const { BehaviourFileError } = await import('../../containers/behaviour/errors.js');
  try {
    await readBehaviour(rules);
    return [];
  } catch (error) {
    if (!(error instanceof BehaviourFileError)) throw error;
    return [error.message.replace(/^behaviour:\d+: rules/, 'behaviour and images, as rules')];
  }
}

const inFile = (file: string, problems: readonly string[]): Problems =>
  new Problems(problems.map(problem => `${file}: ${problem}`));

async function parsed(text: string, file: string): Promise<unknown> {
  const { parseDocument } = (await import('yaml')).default;
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line } = problem.linePos?.[0] ?? {};
    const where = line === undefined ? '' : `line ${line}: `;
    throw inFile(file, [`${where}no YAML: ${problem.message.split('\n')[0] ?? ''}`]);
  }
  return document.toJS() ?? {};
}

function problemsOfNode(node: WrittenNode, i: number): string[] {
  const path = `nodes[${i}]`;
  const named =
    node.name !== undefined && (node.count ?? 1) > 1 ? [`${path}.name: ${node.count ?? 1} nodes cannot have it`] : [];
  return [...named, ...nodesOf({ ...node, count: 1 }).flatMap(one => nodeProblems(one, path))];
}

/** One entry as the nodes that it stands for. */
function nodesOf({ count = 1, capacity, ...rest }: WrittenNode): NodeDescription[] {
  const amounts = Object.entries(capacity ?? {}).map(([resource, amount]) => [resource, String(amount)] as const);
  const one = { ...rest, ...(capacity === undefined ? {} : { capacity: Object.fromEntries(amounts) }) };
  return Array.from({ length: count }, () => one);
}

/** As it would have come from the command line. */
function flagValue(
  option: Option,
  given: boolean | number | string | readonly string[],
  at: (path: string) => string,
): string | boolean {
  if (isSwitch(option)) return given as boolean;
  const text = Array.isArray(given) ? given.join(',') : String(given);
  return /<(?:file|dir)>/.test(option.flags) ? at(text) : text;
}

/** In words: where, what is wrong, what is allowed. */
function problemsOf(errors: readonly ErrorObject[]): string[] {
  return errors.map(error => {
    const { keyword, params, data, message = 'is not valid' } = error;
    const path = pathOf(error.instancePath);
    const where = path === '' ? '' : `${path}: `;
    switch (keyword) {
      case 'additionalProperties': {
        const name = String((params as { additionalProperty: string }).additionalProperty);
        const known = Object.keys((error.parentSchema as Schema).properties ?? {});
        const near = nearest(name, known);
        const meant = near === undefined ? '' : ` (Did you mean ${near}?)`;
        return `${pathOf(`${error.instancePath}/${escaped(name)}`)}: unknown field${meant}; there is ${known.join(', ')}`;
      }
      case 'type': {
        const { type } = params as { type: string | readonly string[] };
        const wanted = typeof type === 'string' ? type : type.join(' or ');
        return `${where}want ${wanted}, not ${shown(data)}`;
      }
      case 'enum':
        return `${where}want ${(params as { allowedValues: readonly string[] }).allowedValues.join(', ')}, not ${shown(data)}`;
      case 'required':
        return `${where}${(params as { missingProperty: string }).missingProperty} is missing`;
      default:
        return `${where}${message}`;
    }
  });
}

const MOST = 60;
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
};

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** "/nodes/0/labels/a~1b" as "nodes[0].labels["a/b"]". */
function pathOf(pointer: string): string {
  const names = pointer.split('/').slice(1);
  return names
    .map((part, i) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (/^\d+$/.test(name)) return `[${name}]`;
      return /^[\w$-]+$/.test(name) ? `${i === 0 ? '' : '.'}${name}` : `[${JSON.stringify(name)}]`;
    })
    .join('');
}
