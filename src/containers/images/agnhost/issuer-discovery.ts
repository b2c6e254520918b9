import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { resolvePath } from '../../file-system.js';
import type { Process } from '../../process.js';
import { parseJwt } from '../../../machinery/jwt.js';
import { callApi } from '../in-cluster-client.js';
import { logLine, type Subcommand } from './command.js';
import { isObject } from './review-server.js';

/** The document at a URL, asked with the Pod's own credentials. @throws Error */
async function fetchJson(process: Process, text: string): Promise<Readonly<Record<string, unknown>>> {
  const url = new URL(text);
  const port = url.port === '' ? 443 : Number(url.port);
  const path = `${url.pathname}${url.search}`;
  // The keys are application/jwk-set+json, and nothing else will do.
  const { status, body } = await callApi(process, { host: url.hostname, port, path, accept: '*/*' });
  if (status !== 200) throw new Error(`${status}: ${body}`);
  const document: unknown = JSON.parse(body);
  if (!isObject(document)) throw new Error(`${text}: no object`);
  return document;
}

/**
 * Reads a mounted token and verifies it as a relying party of OpenID Connect would: discovery from its issuer, signature by
 * the issuer's keys, audience and time.
 */
export const testServiceAccountIssuerDiscovery: Subcommand = async (process, flags) => {
  const { container, cwd } = process;
  const fail = (why: string): number => (logLine(process, why), 1);
  const raw = (await container.files.read(resolvePath(cwd, flags.text('token-path', '')))).toString('utf8');
  logLine(process, 'OK: Got token');
  const jwt = parseJwt(raw.trim());
  if (jwt === undefined) return fail('go-jose/go-jose: compact JWS format must have three parts');
  const { iss = '', aud, exp = 0 } = jwt.claims;
  logLine(process, 'validating with in-cluster discovery');
  logLine(process, `OK: got issuer ${iss}`);
  logLine(process, `Full, not-validated claims: \n${JSON.stringify(jwt.claims)}`);
  const discovery = await fetchJson(process, `${iss.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (discovery['issuer'] !== iss)
    return fail(
      `oidc: issuer did not match the issuer returned by provider, expected "${iss}" got "${String(discovery['issuer'])}"`,
    );
  logLine(process, `OK: Constructed OIDC provider for issuer ${iss}`);
  const { keys } = await fetchJson(process, String(discovery['jwks_uri']));
  const list = (Array.isArray(keys) ? keys : []).filter(isObject);
  const signed = list
    .filter(key => key['kid'] === jwt.keyId)
    .some(key =>
      verify('sha256', jwt.signed, createPublicKey({ key: key as JsonWebKey, format: 'jwk' }), jwt.signature),
    );
  if (!signed) return fail('failed to verify signature: failed to verify id token signature');
  const audience = flags.text('audience', '');
  if (!(typeof aud === 'string' ? [aud] : (aud ?? [])).includes(audience))
    return fail(`oidc: expected audience "${audience}" got ${JSON.stringify(aud)}`);
  if (exp * 1000 < container.clock.now()) return fail('oidc: token is expired');
  logLine(process, 'OK: Validated signature on JWT');
  logLine(process, 'OK: Got valid claims from token!');
  logLine(process, `Full, validated claims: \n${JSON.stringify(jwt.claims)}`);
  return 0;
};
