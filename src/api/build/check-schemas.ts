import { Ajv } from 'ajv';
import { readApiSchemas } from '../api-schemas.js';
import { SCHEMA_FILE } from './schema-file.js';

/** @throws Error naming the file and place when a file of api-schemas/ is not in its form */
export function checkApiSchemas(folder: string): void {
  const files = new Map([...readApiSchemas(folder).files, ...readApiSchemas(folder, 'aggregated').files]);
  const validate = new Ajv({ allErrors: false, strict: true }).compile(SCHEMA_FILE);
  for (const [name, file] of files) {
    if (validate(file)) continue;
    const problem = validate.errors?.[0];
    throw new Error(`api-schemas/${name}.json${problem?.instancePath ?? ''}: ${problem?.message ?? 'is not valid'}`);
  }
}
