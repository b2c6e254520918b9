import type { AuditRecord } from './audit-record.js';
import type { Clock } from '../../machinery/clock.js';
import type { Status } from '../../machinery/status.js';
import type { JsonObject } from '../../machinery/types.js';
import type { UserInfo } from '../../api/strategy.js';
import type { Exchange } from '../pipeline/exchange.js';
import { RawJson } from './raw-json.js';
import { auditEvent, type AuditFacts } from './event.js';
import { AUDIT_LEVELS, createAuditRules, type AuditLevel, type AuditPolicy, type AuditStage } from './policy.js';

/** Takes the lines of the audit log. */
export interface AuditSink {
  write(event: JsonObject): void;
  /** Resolves when all that was written has gone out, or cannot. */
  flush(): Promise<void>;
}

export interface Auditor {
  /** Begins to record what `user` (undefined: nobody knows whose request it is) asks for; undefined: nothing is recorded. */
  begin(exchange: Exchange, user: UserInfo | undefined): AuditRecord | undefined;
}

const NOBODY: UserInfo = { name: '', groups: [] };

export function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { metadata, items, ...rest } = value as { metadata?: JsonObject; items?: unknown };
  const { managedFields: _managedFields, ...kept } = metadata ?? {};
  return {
    ...rest,
    ...(metadata === undefined ? {} : { metadata: kept }),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}

/** Writes events of requests to a sink, as much of each as the policy says. */
export function createAuditor(policy: AuditPolicy, sink: AuditSink, clock: Clock): Auditor {
  const configOf = createAuditRules(policy);
  return {
    begin(exchange, user) {
      const { info } = exchange;
      const config = configOf({ ...info, user: user ?? NOBODY });
      const atLeast = (level: AuditLevel): boolean => AUDIT_LEVELS.indexOf(config.level) >= AUDIT_LEVELS.indexOf(level);
      if (config.level === 'None') return undefined;
      const receivedMs = exchange.receivedMs;
      const annotations = new Map<string, string>();
      let impersonated: UserInfo | undefined;
      let target: AuditFacts['target'];
      let requestObject: unknown;
      let responseObject: unknown;
      let status: Status | undefined;
      let sentCode: number | undefined;
      let ended = false;
      const shown = (value: unknown): unknown => (config.omitManagedFields ? withoutManagedFields(value) : value);

      const write = (stage: AuditStage): void => {
        if (config.omitStages.has(stage)) return;
        const { headersSent, statusCode } = exchange.request.response;
        const code = sentCode ?? (headersSent ? statusCode : undefined);
        sink.write(
          auditEvent(exchange, {
            level: config.level,
            stage,
            receivedMs,
            nowMs: stage === 'RequestReceived' ? receivedMs : clock.now(),
            user,
            impersonated,
            target,
            status,
            code,
            requestObject,
            responseObject,
            annotations,
          }),
        );
      };
      if (user !== undefined) write('RequestReceived');
      return {
        annotate(key, value, detail = false) {
          if (!annotations.has(key) && (!detail || atLeast('Request'))) annotations.set(key, value);
        },
        impersonated: other => void (impersonated = other),
        requested(make) {
          if (atLeast('Request')) requestObject = shown(make());
        },
        targets: metadata => void (target = metadata),
        answer: atLeast('RequestResponse') ? { omitManagedFields: config.omitManagedFields } : undefined,
        answered: object => void (responseObject = object instanceof RawJson ? object : shown(object)),
        answeredStatus(given) {
          status = given;
          if (atLeast('RequestResponse')) responseObject = given;
        },
        started(code) {
          sentCode = code;
          if (user !== undefined) write('ResponseStarted');
        },
        completed() {
          if (ended) return;
          ended = true;
          // Nobody was let in: upstream ends such a request at an earlier stage.
          write(user === undefined ? 'ResponseStarted' : 'ResponseComplete');
        },
      };
    },
  };
}
