import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { StructType } from '../../machinery/schema.js';
import type { SchemaFile } from '../api-schemas.js';
import type { Api } from '../load.js';
import { TYPE_META } from '../openapi/own-definition.js';

/** Docs of one model: of the class, and of each field. */
export interface ModelDocs {
  readonly text: string;
  readonly fields: ReadonlyMap<string, string>;
  /** All fields, those without a text among them. */
  readonly names: ReadonlySet<string>;
}

const MODELS = '@kubernetes/client-node/dist/gen/models';

/** The generator's names for types that share a Go name: a group in front. */
const GROUP_PREFIXES = [
  'Admissionregistration',
  'Apiextensions',
  'Apiregistration',
  'Authentication',
  'Authorization',
  'Autoscaling',
  'Core',
  'Discovery',
  'Events',
  'Flowcontrol',
  'Rbac',
  'Resource',
  'Storage',
];

/** Reads the doc comments of the installed @kubernetes/client-node; they are upstream's field descriptions. */
export function readModelDocs(): ReadonlyMap<string, ModelDocs> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@kubernetes/client-node/package.json')), '..', '..', MODELS);
  const docs = new Map<string, ModelDocs>();
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.d.ts')) continue;
    docs.set(file.slice(0, -'.d.ts'.length), parseModel(readFileSync(join(folder, file), 'utf8')));
  }
  return docs;
}

const clean = (comment: string): string =>
  comment
    .replace(/^[ \t]*\* ?/gm, '')
    .replace(/\\(["'`])/g, '$1')
    .trim();

/** Words of the language have a line in front. */
const fieldName = (name: string): string => name.replace(/^_(default|continue|enum|from)$/, '$1');

function parseModel(source: string): ModelDocs {
  const text = /\/\*\*\n((?:\* ?.*\n)+)\*\/\nexport declare class/.exec(source)?.[1] ?? '';
  const fields = new Map<string, string>();
  for (const [, comment = '', name = ''] of source.matchAll(
    / {4}\/\*\*\n((?: {4}\*(?!\/).*\n)+) {4}\*\/\n {4}'([^']+)'\??:/g,
  ))
    fields.set(fieldName(name), clean(comment));
  const names = [...source.matchAll(/^ {4}'([^']+)'\??:/gm)].map(match => fieldName(match[1] ?? ''));
  return { text: clean(text), fields, names: new Set(names) };
}

/** Descriptions by full type name, and by type name and field. */
export function describe(api: Api, docs: ReadonlyMap<string, ModelDocs>): Map<string, string> {
  const descriptions = new Map<string, string>();
  const seen = new Set<StructType>();
  const visit = (struct: StructType): void => {
    if (seen.has(struct)) return;
    seen.add(struct);
    const model = modelOf(struct, docs);
    if (model !== undefined && model.text !== '') descriptions.set(struct.name, model.text);
    for (const field of struct.fields) {
      const text = model?.fields.get(field.name);
      if (text !== undefined && text !== '') descriptions.set(`${struct.name}.${field.name}`, text);
      let { type } = field;
      while (type.kind === 'list' || type.kind === 'map') type = type.kind === 'list' ? type.items : type.values;
      if (type.kind === 'struct') {
        visit(type.struct);
        // References carry no text in the models: the type's own stands in.
        const own = descriptions.get(type.struct.name);
        if (text === undefined && own !== undefined) descriptions.set(`${struct.name}.${field.name}`, own);
      }
    }
  };
  for (const { type } of api.kinds) visit(type);
  return descriptions;
}

/** Texts that api-schemas/ itself has, for what the models do not know. */
export function ownDescriptions(files: ReadonlyMap<string, SchemaFile>): Map<string, string> {
  const descriptions = new Map<string, string>();
  for (const file of files.values())
    for (const [name, type] of Object.entries(file.types)) {
      const full = `${file.package}.${name}`;
      if (type.description === undefined) continue;
      descriptions.set(full, type.description);
      for (const [field, { description }] of Object.entries(type.fields)) {
        const shared = field === 'kind' || field === 'apiVersion' ? TYPE_META[field]['description'] : undefined;
        const text = description ?? shared;
        if (typeof text === 'string') descriptions.set(`${full}.${field}`, text);
      }
    }
  return descriptions;
}

/** io.k8s.api.core.v1.Event is CoreV1Event, io.k8s.api.core.v1.Pod is V1Pod. */
export function modelOf(struct: StructType, docs: ReadonlyMap<string, ModelDocs>): ModelDocs | undefined {
  const parts = struct.name.split('.');
  const version = parts.at(-2) ?? '';
  const group = parts.at(-3) ?? '';
  const plain = `${version.charAt(0).toUpperCase()}${version.slice(1)}${struct.goName}`;
  const prefix = GROUP_PREFIXES.find(name => name.toLowerCase() === group);
  return docs.get(prefix === undefined ? plain : `${prefix}${plain}`) ?? docs.get(plain);
}
