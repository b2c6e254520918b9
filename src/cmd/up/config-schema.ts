import type { Command, Option } from 'commander';
import { TAINT_EFFECTS } from '../../cluster/node-description.js';
import { RULE } from '../../containers/behaviour/schema.js';
import { PROXY_MODES } from '../../dataplane/proxiers/modes.js';
import { flagOf } from '../process.js';
import { MAX_NODES } from './limits.js';

/** Of a JSON Schema what is used here. */
export interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Those about the file itself, and about how `up` runs; what is no flag in the file has a place of its own there. */
const NOT_IN_FILE = ['config', 'detach', 'objects', 'behaviour'];

/** "serviceClusterIpRange" of "--service-cluster-ip-range"; "metrics" of "--no-metrics". */
export const settingName = (option: Option): string => flagOf(option.attributeName());

/** Flags of `up` that a file may hold. */
export const flagsInFile = (up: Command): readonly Option[] =>
  up.options.filter(option => !option.hidden && !NOT_IN_FILE.includes(option.attributeName()));

export const isSwitch = (option: Option): boolean => !option.required && !option.optional;

const quantity: Schema = { type: ['string', 'number'] };
const texts = (description: string): Schema => ({
  description,
  type: 'object',
  additionalProperties: { type: 'string' },
});

const node: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { description: 'A DNS name. Default: node- and its number.', type: 'string' },
    count: {
      description: 'So many of them, without a name of their own. Default 1.',
      type: 'integer',
      minimum: 1,
      maximum: MAX_NODES,
    },
    labels: texts('Of the Node.'),
    taints: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'effect'],
        properties: {
          key: { type: 'string' },
          value: { type: 'string' },
          effect: { enum: TAINT_EFFECTS },
        },
      },
    },
    zone: { description: 'Label topology.kubernetes.io/zone.', type: 'string' },
    region: { description: 'Label topology.kubernetes.io/region.', type: 'string' },
    capacity: {
      description:
        'Quantities by resource; default: cpu 4, memory 8Gi, pods 110, ephemeral-storage 100Gi. Extended resources have a domain: example.com/gpu.',
      type: 'object',
      additionalProperties: quantity,
    },
    proxyMode: {
      description: 'How it programs Services. Default: that of flags.proxy-mode whose turn it is.',
      enum: PROXY_MODES,
    },
  },
};

/** What `kubette up --config` takes. `up`: the command, whose flags are settings, too. */
export const configSchema = (up: Command): Schema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://kubette.dev/api-schemas/up-config.v1.json',
  title: 'Configuration of kubette up',
  description: 'JSON or YAML. Paths are relative to the file. Flags on the command line win over it.',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { description: 'For editors.', type: 'string' },
    nodes: {
      description: 'What the nodes are like, node-1 first. With flags.nodes there are so many: the first are these.',
      type: 'array',
      maxItems: MAX_NODES,
      items: node,
    },
    images: {
      description:
        'What containers of an image do, by a glob of its name: { "ghcr.io/acme/*": { pullError: not-found } }. As rules behind those of behaviour.',
      type: 'object',
      additionalProperties: RULE.properties.behaviour,
    },
    behaviour: {
      description: 'What containers are told to do: a file as of --behaviour, or a list of its rules.',
      type: ['string', 'array'],
      items: RULE,
    },
    objects: {
      description:
        'What is applied when everything is ready, on the server’s side: files, folders of *.yaml, *.yml and *.json, or objects as they are.',
      type: 'array',
      items: {
        type: ['string', 'object'],
        required: ['apiVersion', 'kind'],
        properties: { apiVersion: { type: 'string' }, kind: { type: 'string' } },
      },
    },
    flags: {
      description: 'Everything that kubette up takes, by the names of its flags.',
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(flagsInFile(up).map(option => [settingName(option), flagSchema(option)])),
    },
  },
});

function flagSchema(option: Option): Schema {
  const { description, argChoices } = option;
  const defaultValue: unknown = option.defaultValue;
  if (isSwitch(option)) return { description, type: 'boolean' };
  return {
    description,
    ...(argChoices === undefined ? {} : { enum: argChoices }),
    ...(argChoices === undefined ? { type: ['string', 'number', 'boolean', 'array'], items: { type: 'string' } } : {}),
    ...(typeof defaultValue === 'string' && defaultValue !== '' ? { default: defaultValue } : {}),
  };
}
