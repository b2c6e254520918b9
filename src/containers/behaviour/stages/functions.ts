import { FUNCTIONS, takes, TemplateError, type Functions } from '../../../machinery/go-template/functions.js';

/** What templates of Stages may ask about the object's place. */
export interface StageFacts {
  /** RFC 3339. */
  readonly now: () => string;
  readonly startTime: string;
  readonly version: string;
  readonly nodeName: string;
  readonly nodeIP: string;
  /** Of its kubelet API. */
  readonly nodePort: () => number;
  readonly nodeConditions: () => readonly object[];
  /** Of the Pod that the template is about. */
  readonly podIP: () => string;
}

/** As encoding/json writes it, in quotes whatever it is. */
function quoted(value: unknown): string {
  const json = JSON.stringify(value ?? null);
  return json.startsWith('"') ? json : JSON.stringify(json);
}

const MAX_INDENT = 100;

/** JSON is YAML on one line: so far in as asked, it stands below whatever is before it. */
const yaml = (value: unknown, indent: unknown): string =>
  `${'  '.repeat(typeof indent === 'number' ? Math.min(Math.max(0, indent), MAX_INDENT) : 0)}${JSON.stringify(value ?? null)}`;

const MANY = 1000;

/** kwok's functions, beside those of Go and of sprig. */
export const stageFunctions = (facts: StageFacts): Functions =>
  new Map([
    ...FUNCTIONS,
    ['Quote', takes(1, ([value]) => quoted(value))],
    ['YAML', takes([1, 2], ([value, indent]) => yaml(value, indent))],
    ['Now', takes(0, facts.now)],
    ['StartTime', takes(0, () => facts.startTime)],
    ['Version', takes(0, () => facts.version)],
    ['NodeConditions', takes(0, () => [...facts.nodeConditions()])],
    ['NodeName', takes(0, () => facts.nodeName)],
    ['NodeIP', takes(0, () => facts.nodeIP)],
    ['NodePort', takes(0, facts.nodePort)],
    ['NodeIPWith', takes(1, () => facts.nodeIP)],
    ['PodIP', takes(0, facts.podIP)],
    ['PodIPWith', takes([0, MANY], facts.podIP)],
  ]);

const unknown = (): never => {
  throw new TemplateError('nothing is known here');
};

/** Their names and how they are called, for who reads templates. */
export const KNOWN_FUNCTIONS: Functions = stageFunctions({
  now: unknown,
  startTime: '',
  version: '',
  nodeName: '',
  nodeIP: '',
  nodePort: unknown,
  nodeConditions: unknown,
  podIP: unknown,
});
