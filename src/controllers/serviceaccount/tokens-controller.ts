import { isStatusError } from '../../machinery/status.js';
import { signingKey, signJwt, LEGACY_ISSUER } from '../../machinery/jwt.js';
import type { DeepReadonly, KubeObject, Secret, ServiceAccount } from '../../machinery/types.js';
import { SECRETS, SERVICE_ACCOUNTS } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
/** Index of token Secrets by "namespace/account". */
const BY_ACCOUNT = 'account';

type ReadonlySecret = DeepReadonly<Secret>;
type ReadonlyAccount = DeepReadonly<ServiceAccount>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const accountKey = ({ metadata }: ReadonlySecret): string =>
  `${metadata.namespace ?? ''}/${metadata.annotations?.[ACCOUNT_NAME] ?? ''}`;

/** A Secret that names no uid is any account's of its name. */
const isFor = ({ metadata }: ReadonlySecret, uid: string | undefined): boolean => {
  const wanted = metadata.annotations?.[ACCOUNT_UID] ?? '';
  return wanted === '' || wanted === uid;
};

/**
 * Fills in Secrets of the type kubernetes.io/service-account-token, and deletes those whose account is gone
 * (pkg/controller/serviceaccount tokens_controller.go). Does nothing without the key that signs tokens.
 */
export const serviceAccountTokenController: ControllerDefinition = {
  name: 'serviceaccount-token-controller',
  aliases: ['serviceaccount-token'],
  workers: 5,
  build({ client, informers, queue, options }) {
    if (options.serviceAccountKey === undefined) return { reconcile: () => Promise.resolve() };
    const key = signingKey(options.serviceAccountKey);
    const ca = options.rootCa === undefined ? undefined : base64(options.rootCa);
    // Of one type only, so that the cache does not hold every Secret of the cluster.
    const secrets = informers.informer<Secret>(SECRETS, { fieldSelector: `type=${TYPE}` });
    const accounts = informers.informer<ServiceAccount>(SERVICE_ACCOUNTS);
    const secretClient = client.resource<Secret>(SECRETS);
    const accountClient = client.resource<ServiceAccount>(SERVICE_ACCOUNTS);
    secrets.addIndex(BY_ACCOUNT, secret => [accountKey(secret)]);
    secrets.addHandler({
      add: secret => queue.add(keyOf(secret)),
      update: (_old, secret) => queue.add(keyOf(secret)),
      delete: secret => queue.add(`${REFERENCE}${accountKey(secret)}/${secret.metadata.name ?? ''}`),
    });
    accounts.addHandler({
      delete: account => {
        for (const secret of secrets.indexer.byIndex(BY_ACCOUNT, keyOf(account))) queue.add(keyOf(secret));
      },
    });

    const missing = (secret: ReadonlySecret): { ca: boolean; namespace: boolean; token: boolean } => ({
      ca: ca !== undefined && secret.data?.['ca.crt'] !== ca,
      namespace: (secret.data?.['namespace'] ?? '') === '',
      token: (secret.data?.['token'] ?? '') === '',
    });
    const isComplete = (secret: ReadonlySecret): boolean => !Object.values(missing(secret)).some(Boolean);

    const sign = (account: ReadonlyAccount, secret: ReadonlySecret): string => {
      const { namespace = '', name = '', uid = '' } = account.metadata;
      return signJwt(
        {
          iss: LEGACY_ISSUER,
          'kubernetes.io/serviceaccount/namespace': namespace,
          'kubernetes.io/serviceaccount/secret.name': secret.metadata.name ?? '',
          'kubernetes.io/serviceaccount/service-account.name': name,
          'kubernetes.io/serviceaccount/service-account.uid': uid,
          sub: `system:serviceaccount:${namespace}:${name}`,
        },
        key,
      );
    };

    const live = async <T extends KubeObject>(get: Promise<T>): Promise<T | undefined> => {
      try {
        return await get;
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return undefined;
        throw error;
      }
    };
    /** What is gone, or was changed by somebody else meanwhile, brings an event of its own. */
    const unlessChanged = async (write: Promise<unknown>): Promise<void> => {
      try {
        await write;
      } catch (error) {
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
      }
    };

    const fill = async (account: ReadonlyAccount, cached: ReadonlySecret): Promise<void> => {
      if (isComplete(cached)) return;
      const secret = await live(secretClient.get(splitKey(keyOf(cached))));
      if (secret?.metadata.resourceVersion !== cached.metadata.resourceVersion || secret === undefined) return;
      const needs = missing(secret);
      const data = {
        ...secret.data,
        ...(needs.ca ? { 'ca.crt': ca ?? '' } : {}),
        ...(needs.namespace ? { namespace: base64(secret.metadata.namespace ?? '') } : {}),
        ...(needs.token ? { token: base64(sign(account, secret)) } : {}),
      };
      const annotations = {
        ...secret.metadata.annotations,
        [ACCOUNT_NAME]: account.metadata.name ?? '',
        [ACCOUNT_UID]: account.metadata.uid ?? '',
      };
      await unlessChanged(secretClient.update({ ...secret, metadata: { ...secret.metadata, annotations }, data }));
    };

    /** An account lists Secrets by name; one that is gone is taken out. */
    const dropReference = async (namespace: string, name: string, secret: string): Promise<void> => {
      if (accounts.indexer.get(`${namespace}/${name}`) === undefined) return;
      const account = await live(accountClient.get({ namespace, name }));
      if (account?.secrets?.some(reference => reference.name === secret) !== true) return;
      const kept = account.secrets.filter(reference => reference.name !== secret);
      await accountClient.update({ ...account, secrets: kept });
    };

    return {
      async reconcile(id) {
        if (id.startsWith(REFERENCE)) {
          const [namespace = '', account = '', secret = ''] = id.slice(REFERENCE.length).split('/');
          return dropReference(namespace, account, secret);
        }
        const secret = secrets.indexer.get(id);
        if (secret === undefined) return;
        const at = splitKey(accountKey(secret));
        if (at.name === '') return;
        const known = accounts.indexer.get(accountKey(secret)) ?? (await live(accountClient.get(at)));
        if (known !== undefined && isFor(secret, known.metadata.uid)) return fill(known, secret);
        const preconditions = { uid: secret.metadata.uid ?? '' };
        await unlessChanged(secretClient.delete(splitKey(id), { preconditions }));
      },
    };
  },
};

/** Keys of Secrets that are gone: "reference/namespace/account/secret". */
const REFERENCE = 'reference/';
