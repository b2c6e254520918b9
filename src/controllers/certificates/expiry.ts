import { X509Certificate } from 'node:crypto';
import { conditionsOf, hasCondition, isIssued, type ReadonlyRequest } from './request.js';

const HOUR_MS = 3_600_000;
const DECIDED_MS = HOUR_MS;
const PENDING_MS = 24 * HOUR_MS;

const isOlder = (time: string | undefined, ms: number, nowMs: number): boolean =>
  time !== undefined && nowMs - Date.parse(time) > ms;

function hasExpired(certificate: string, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo) < nowMs;
  } catch {
    return false; // what is no certificate does not end
  }
}

/** Why a request may go; undefined: it stays. */
export function expiryOf(request: ReadonlyRequest, nowMs: number): string | undefined {
  const issued = isIssued(request);
  const since = (type: string): string | undefined =>
    conditionsOf(request).find(condition => condition.type === type)?.lastUpdateTime;
  if (issued && isOlder(since('Approved'), DECIDED_MS, nowMs)) return 'issued long ago';
  if (isOlder(since('Denied'), DECIDED_MS, nowMs)) return 'denied long ago';
  if (isOlder(since('Failed'), DECIDED_MS, nowMs)) return 'failed long ago';
  const undecided = conditionsOf(request).length === 0;
  if (undecided && isOlder(request.metadata.creationTimestamp, PENDING_MS, nowMs)) return 'never decided';
  if (issued && hasCondition(request, 'Approved') && hasExpired(request.status?.certificate ?? '', nowMs))
    return 'its certificate has expired';
  if (!issued && isOlder(since('Approved'), PENDING_MS, nowMs)) return 'approved and never issued';
  return undefined;
}
