import { readFileSync } from 'node:fs';

/** What one run of the suite said of each spec that ran. */
export interface Report {
  readonly passed: readonly string[];
  /** With the first line of why. */
  readonly failed: readonly Failed[];
  /** What failed around the specs: when it is before them, as the wait for nodes, no spec has run. */
  readonly broken: readonly Failed[];
}

interface Failed {
  readonly name: string;
  readonly why: string;
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  readonly Failure?: { readonly Message?: string };
}

/** Reads what ginkgo wrote with --json-report. Specs that were left out, or skipped themselves, are in neither list. */
export function readReport(path: string): Report {
  const suites = JSON.parse(readFileSync(path, 'utf8')) as { readonly SpecReports: readonly SpecReport[] | null }[];
  const passed: string[] = [];
  const failed: Failed[] = [];
  const broken: Failed[] = [];
  for (const spec of suites.flatMap(suite => suite.SpecReports ?? [])) {
    const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ');
    if (spec.LeafNodeType !== 'It') {
      if (spec.State === 'failed') broken.push({ name: spec.LeafNodeType, why: spec.Failure?.Message ?? '' });
    } else if (spec.State === 'passed') passed.push(name);
    else if (spec.State !== 'skipped' && spec.State !== 'pending')
      failed.push({ name, why: (spec.Failure?.Message ?? spec.State).split('\n', 1)[0] ?? '' });
  }
  return { passed: passed.sort(), failed: failed.sort((a, b) => (a.name < b.name ? -1 : 1)), broken };
}
