import { PROXY_MODES, type ProxyMode } from '../dataplane/proxiers/index.js';
import { FlagError } from './process.js';

const isProxyMode = (text: string): text is ProxyMode => (PROXY_MODES as readonly string[]).includes(text);

/** @throws FlagError for a mode that there is not */
export function proxyModeFlag(text: string): ProxyMode {
  if (isProxyMode(text)) return text;
  throw new FlagError(
    `invalid argument ${JSON.stringify(text)} for "--proxy-mode" flag: there are ${PROXY_MODES.join(', ')}`,
  );
}
