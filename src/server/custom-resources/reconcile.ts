import { jsonEqual } from '../../machinery/json-equal.js';
import { caBundleProblem } from '../../machinery/x509/ca-bundle.js';
import type { Names } from './definition.js';
import { approvalOf } from './api-approval.js';
import { cleanUp, wantsCleanup, type CleanupOptions } from './cleanup.js';
import { isTrue, says, setCondition } from './conditions.js';
import { groupOf, nameOf, type Definition } from './definition.js';
import { decideNames, takenNames } from './names.js';
import type { ServedKinds } from './served-kinds.js';

export interface ReconcileOptions extends CleanupOptions {
  readonly kinds: ServedKinds;
  /** Waits until what was written here is read here. */
  readonly fresh: () => Promise<void>;
  /** Names of all definitions of a group. */
  readonly membersOf: (group: string) => Iterable<string>;
  /** To be looked at again: a name that it wants may have become free. */
  readonly again: (name: string) => void;
}

/**
 * What upstream's controllers inside the API server do for a definition, one after another: names, the community's
 * approval, establishing, and the end. There is no NonStructuralSchema: v1 takes no schema that is none.
 */
export function createReconcile(options: ReconcileOptions): (name: string) => Promise<void> {
  const { writer, kinds, clock, fresh, again, membersOf } = options;
  /** Names are given out one by one in each group. */
  const lines = new Map<string, Promise<void>>();
  const groups = new Map<string, string>();

  const inLine = (group: string, work: () => Promise<void>): Promise<void> => {
    const turn = (lines.get(group) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined).then(() => void (lines.get(group) === settled && lines.delete(group)));
    lines.set(group, settled);
    return turn;
  };

  function* others(group: string, name: string): Iterable<Definition> {
    for (const member of membersOf(group)) {
      const definition = member === name ? undefined : writer.get(member);
      if (definition !== undefined && groupOf(definition) === group) yield definition;
    }
  }
  const lookAtOthers = (group: string, name: string): void => {
    for (const other of others(group, name)) if (!hasItsNames(other)) again(nameOf(other));
  };

  const giveNames = (name: string): Promise<void> =>
    inLine(groups.get(name) ?? '', async () => {
      const definition = writer.get(name);
      if (definition === undefined || hasItsNames(definition)) return;
      const decision = decideNames(definition, takenNames([...others(groupOf(definition), name), definition]));
      if (decision === undefined) return;
      const { accepted, namesAccepted, established } = decision;
      if (jsonEqual(accepted, definition.status?.acceptedNames) && says(definition, namesAccepted)) return;
      await writer.updateStatus(definition, changed => {
        (changed.status ??= {}).acceptedNames = accepted;
        setCondition(changed, namesAccepted, clock.now());
        setCondition(changed, established, clock.now());
      });
      await fresh();
      lookAtOthers(groupOf(definition), name);
    });

  const judgeApproval = async (definition: Definition): Promise<void> => {
    const verdict = approvalOf(definition);
    if (verdict === undefined || says(definition, verdict)) return;
    await writer.updateStatus(definition, changed => setCondition(changed, verdict, clock.now()));
  };

  const establish = async (definition: Definition): Promise<void> => {
    if (!isTrue(definition, 'NamesAccepted') || isTrue(definition, 'Established')) return;
    const { caBundle = '' } = definition.spec?.conversion?.webhook?.clientConfig ?? {};
    if (caBundle !== '' && caBundleProblem(caBundle) !== undefined) {
      if (says(definition, INVALID_CA_BUNDLE)) return;
      return writer.updateStatus(definition, changed => setCondition(changed, INVALID_CA_BUNDLE, clock.now()));
    }
    // Who sees that it is established finds it served.
    await kinds.prepare(definition);
    await writer.updateStatus(definition, changed => {
      if (!isTrue(changed, 'NamesAccepted')) return;
      const message = 'the initial names have been accepted';
      setCondition(
        changed,
        { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message },
        clock.now(),
      );
    });
  };

  const newest = (name: string): Definition | undefined => writer.get(name);

  return async name => {
    const first = newest(name);
    if (first === undefined) {
      const group = groups.get(name);
      groups.delete(name);
      if (group !== undefined) lookAtOthers(group, name);
      return;
    }
    groups.set(name, groupOf(first));
    if (!hasItsNames(first)) await giveNames(name);
    const named = newest(name);
    if (named !== undefined) await judgeApproval(named);
    const judged = newest(name);
    if (judged !== undefined) await establish(judged);
    const last = newest(name);
    if (last !== undefined && wantsCleanup(last)) await cleanUp(last, kinds.kindOf(last), options);
  };
}

/** Whose certificate nobody could check is served by nobody (apiextensions-apiserver's establishing controller). */
const INVALID_CA_BUNDLE = {
  type: 'Established',
  status: 'False',
  reason: 'InvalidCABundle',
  message: 'The conversion webhook CABundle is invalid',
} as const;

const NONE: Names = { plural: '', kind: '' };

const hasItsNames = ({ spec, status }: Definition): boolean =>
  jsonEqual(spec?.names ?? NONE, status?.acceptedNames ?? NONE);
