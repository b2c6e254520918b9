import { randomBytes } from 'node:crypto';
import type { Program } from '../process.js';
import { callApi } from './in-cluster-client.js';

/**
 * `argocd admin redis-initial-password` makes the Secret that the Pods of Argo CD wait for; what else the program does is
 * not simulated.
 */
export const argocd: Program = async process => {
  const [, ...words] = process.args;
  if (words[0] !== 'admin' || words[1] !== 'redis-initial-password') {
    await process.stderr.write(`argocd ${words.join(' ')}: not simulated here\n`);
    return 1;
  }
  const { files } = process.container;
  const namespace = (await files.read('/var/run/secrets/kubernetes.io/serviceaccount/namespace')).toString('utf8');
  const name = 'argocd-redis';
  await process.stdout.write(`Checking for initial Redis password in secret ${namespace}/${name} at key auth. \n`);
  const answer = await callApi(process, {
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      stringData: { auth: randomBytes(12).toString('base64url') },
    },
  });
  // 409: an earlier run has made it.
  if (answer.status === 201 || answer.status === 409) return 0;
  await process.stderr.write(`${answer.body}\n`);
  return 1;
};
