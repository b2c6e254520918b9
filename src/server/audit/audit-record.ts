import type { Status } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { UserInfo } from '../../api/strategy.js';

/** What is being recorded of one request. Every method is cheap when the level asks for less. */
export interface AuditRecord {
  /** Of a `detail` only where the object is recorded too. */
  annotate(key: string, value: string, detail?: boolean): void;
  impersonated(user: UserInfo): void;
  /** What was asked for: the decoded object, a patch or options. Made only when the level wants it. */
  requested(make: () => unknown): void;
  /** The object in the request, whose name and uid the event shows. */
  targets(metadata: KubeObject['metadata']): void;
  /** How what is answered is wanted; undefined: it is not. */
  readonly answer: { readonly omitManagedFields: boolean } | undefined;
  /** What is answered; of raw JSON whoever made it has left out what is not wanted. */
  answered(object: unknown): void;
  /** An error or another Status. */
  answeredStatus(status: Status): void;
  /** The head of a long-running answer goes out, with this HTTP status. */
  started(code: number): void;
  completed(): void;
}
