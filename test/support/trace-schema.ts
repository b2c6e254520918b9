import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { packageFolder } from '../../src/api/api-schemas.js';
import type { TraceReport } from '../../src/nodeagent/kubelet-api/trace-report.js';

const validate = new Ajv2020({ allErrors: false, strict: true }).compile(
  JSON.parse(readFileSync(join(packageFolder('api-schemas'), 'trace.v1.json'), 'utf8')) as object,
);

/** A trace that is as its published schema says. @throws Error that tells where it is not */
export function checkedTrace(report: unknown): TraceReport {
  if (!validate(report)) throw new Error(`not as trace.v1.json: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
  return report as TraceReport;
}
