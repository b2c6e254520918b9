import { nearest } from '../../machinery/nearest.js';
import { fieldsAt, isFields, readDocuments, textAt, type BehaviourDocument, type FieldPath } from './documents.js';
import type { Rule, RuleMatch } from './rules.js';
import { readStage, STAGE_API_VERSION, STAGE_KIND } from './stages/read-stage.js';
import type { Stage } from './stages/types.js';
import { settingOf, SETTING_NAMES, type Behaviour, type SettingName } from './settings.js';

export const API_VERSION = 'sim.kubette.io/v1alpha1';
export const KIND = 'Behaviour';

/** What a file says, in its order. */
export interface BehaviourFile {
  readonly rules: readonly Rule[];
  readonly stages: readonly Stage[];
}

export const NO_BEHAVIOUR: BehaviourFile = { rules: [], stages: [] };

const MATCH = ['image', 'namespace', 'labels', 'container'] as const;

/** Reads a file of behaviour: documents of YAML, or JSON. `name` is the file's, for errors. @throws BehaviourFileError */
export async function readBehaviourFile(text: string, name: string): Promise<BehaviourFile> {
  const documents = await readDocuments(text, name);
  const isStage = ({ value }: BehaviourDocument): boolean => isFields(value) && value['kind'] === STAGE_KIND;
  return {
    rules: documents.filter(document => !isStage(document)).flatMap(rulesOf),
    stages: documents.filter(isStage).flatMap(stagesOf),
  };
}

function stagesOf(document: BehaviourDocument): Stage[] {
  const { value } = document;
  if (!isFields(value) || value['apiVersion'] !== STAGE_API_VERSION)
    return document.refuse(['apiVersion'], `want ${STAGE_API_VERSION} of a ${STAGE_KIND}`);
  const stage = readStage(document);
  return stage === undefined ? [] : [stage];
}

function rulesOf(document: BehaviourDocument): Rule[] {
  const { value, refuse } = document;
  if (!isFields(value) || value['apiVersion'] !== API_VERSION || value['kind'] !== KIND)
    return refuse([], `want kind ${KIND} of ${API_VERSION}, or kind ${STAGE_KIND} of ${STAGE_API_VERSION}`);
  const { rules } = fieldsAt(document, value, [], ['apiVersion', 'kind', 'metadata', 'rules']);
  if (!Array.isArray(rules)) return refuse(['rules'], 'want a list');
  return rules.map((rule: unknown, i) => {
    const at = ['rules', i];
    const { match, behaviour } = fieldsAt(document, rule, at, ['match', 'behaviour']);
    return {
      match: match === undefined ? {} : matchOf(document, match, [...at, 'match']),
      behaviour: behaviourOf(document, behaviour, [...at, 'behaviour']),
    };
  });
}

function matchOf(document: BehaviourDocument, given: unknown, at: FieldPath): RuleMatch {
  const { labels, ...globs } = fieldsAt(document, given, at, MATCH);
  const texts = Object.entries(globs).map(([name, value]) => [name, textAt(document, value, [...at, name])]);
  if (labels === undefined) return Object.fromEntries(texts) as RuleMatch;
  if (!isFields(labels)) return document.refuse([...at, 'labels'], 'want a map of texts');
  const pairs = Object.entries(labels).map(([key, value]) => [key, textAt(document, value, [...at, 'labels', key])]);
  return { ...(Object.fromEntries(texts) as RuleMatch), labels: Object.fromEntries(pairs) as Record<string, string> };
}

function behaviourOf(document: BehaviourDocument, given: unknown, at: FieldPath): Behaviour {
  if (!isFields(given)) return document.refuse(at, 'want a map of what it does');
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const path = [...at, name];
      if (!isSetting(name)) {
        const near = nearest(name, SETTING_NAMES);
        const meant = near === undefined ? `there are ${SETTING_NAMES.join(', ')}` : `did you mean ${near}?`;
        return document.refuse(path, `there is no such setting; ${meant}`);
      }
      const { kind } = settingOf(name);
      const text = textOf(value, kind.joined);
      const read = text === undefined ? undefined : kind.read(text);
      if (read === undefined) return document.refuse(path, `want ${kind.allowed}, not ${JSON.stringify(value)}`);
      return [name, read];
    }),
  );
}

const isSetting = (name: string): name is SettingName => (SETTING_NAMES as readonly string[]).includes(name);

/** The same as an annotation's text; undefined: it can be none. */
function textOf(value: unknown, joined: string | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (!Array.isArray(value) || joined === undefined || value.length === 0) return undefined;
  const items = value.map(item => (Array.isArray(item) ? undefined : textOf(item, undefined)));
  return items.some(item => item === undefined) ? undefined : items.join(joined);
}
