import { CompactedError, FutureRevisionError, StorageError, type StorageErrorCode } from '../kv-store.js';
import { GrpcError, NotSentError, type GrpcCode } from './grpc/status.js';

const CODES: Partial<Record<GrpcCode, StorageErrorCode>> = {
  PermissionDenied: 'permission',
  Unauthenticated: 'permission',
};

/** What etcd says when it has reached its quota. */
const NO_SPACE = /database space exceeded|NOSPACE/;

/** A failed call as callers know failures. etcd's own sentences are passed on as they are, as upstream does it. */
export function storageError(error: unknown): Error {
  if (!(error instanceof GrpcError)) return error as Error;
  const { code, details } = error;
  const text = details.startsWith('etcdserver: ') ? details : error.message;
  return new StorageError(NO_SPACE.test(details) ? 'disk-full' : (CODES[code] ?? 'io'), text, { cause: error });
}

/** The same, of what stands between a server and its start: for who has to find out why. */
export function startError(error: unknown): Error {
  if (!(error instanceof NotSentError)) return storageError(error);
  return new StorageError('io', `cannot reach etcd: ${error.details.replace('connection error: ', '')}`, {
    cause: error,
  });
}

/** The same, of a call that names a revision. `known`: what is known of the others. */
export function revisionError(
  error: unknown,
  revision: number,
  known: { readonly compacted: number; readonly newest: number },
): Error {
  if (error instanceof GrpcError && error.code === 'OutOfRange') {
    if (error.details.includes('has been compacted'))
      return new CompactedError(revision, Math.max(known.compacted, revision));
    if (error.details.includes('future revision')) return new FutureRevisionError(revision, known.newest);
  }
  return storageError(error);
}
