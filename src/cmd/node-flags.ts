import type { Command } from 'commander';
import {
  isTaintEffect,
  nodeProblems,
  TAINT_EFFECTS,
  type NodeDescription,
  type NodeTaint,
} from '../cluster/node-description.js';
import { PROXY_MODES } from '../dataplane/proxiers/modes.js';
import { FlagError, invalidArgument } from './process.js';
import { proxyModeFlag } from './proxy-flags.js';

/** What a node is like, as in the `nodes` of `up --config`. */
export const addNodeFlags = (command: Command): Command =>
  command
    .option('--node-name <name>', 'what it is called; default: node- and the first free number')
    .option('--labels <labels>', 'key=value, comma separated')
    .option('--taints <taints>', `key=value:effect, comma separated; effects: ${TAINT_EFFECTS.join(', ')}`)
    .option('--zone <zone>', 'label topology.kubernetes.io/zone')
    .option('--region <region>', 'label topology.kubernetes.io/region')
    .option('--capacity <resources>', 'cpu=8,memory=16Gi,pods=50,example.com/gpu=2; default: 4 CPUs, 8Gi, 110 Pods')
    .option(
      '--proxy-mode <mode>',
      `how it programs Services: ${PROXY_MODES.join(', ')}; default: as of up --proxy-mode`,
    );

type Flags = Readonly<Record<string, string | boolean>>;

/** @throws FlagError */
export function nodeDescriptionFrom(flags: Flags): NodeDescription {
  const given = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [labels, taints, capacity] = [given('labels'), given('taints'), given('capacity')];
  const proxyMode = given('proxyMode');
  const description: NodeDescription = {
    ...defined({ name: given('nodeName'), zone: given('zone'), region: given('region') }),
    ...(labels === undefined ? {} : { labels: pairsFlag('labels', labels) }),
    ...(taints === undefined ? {} : { taints: taints.split(',').map(taintFlag) }),
    ...(capacity === undefined ? {} : { capacity: pairsFlag('capacity', capacity) }),
    ...(proxyMode === undefined ? {} : { proxyMode: proxyModeFlag(proxyMode) }),
  };
  const [problem] = nodeProblems(description, 'the node');
  if (problem !== undefined) throw new FlagError(problem);
  return description;
}

const defined = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** "a=1,b=2". @throws FlagError */
export const pairsFlag = (flag: string, text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(',').map(pair => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw invalidArgument(flag, pair, 'want key=value');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );

/** "key=value:NoSchedule", "key:NoExecute", as kubectl taint has them. @throws FlagError */
function taintFlag(text: string): NodeTaint {
  const colon = text.lastIndexOf(':');
  const effect = text.slice(colon + 1);
  if (colon <= 0 || !isTaintEffect(effect))
    throw invalidArgument('taints', text, `want key=value:effect, an effect being one of ${TAINT_EFFECTS.join(', ')}`);
  const [key = '', ...value] = text.slice(0, colon).split('=');
  return { key, ...(value.length === 0 ? {} : { value: value.join('=') }), effect };
}
