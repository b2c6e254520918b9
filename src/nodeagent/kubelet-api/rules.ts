import type { ServerResponse } from 'node:http';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { TableName } from '../../dataplane/kernel/xtables/rule.js';
import { describeSteps } from '../../dataplane/tools/describe.js';
import { formatOf, isTextFormat, ruleParts, TEXT_FORMATS } from '../../dataplane/tools/print-rules.js';
import { familyLike } from '../network/links.js';
import { jsonParts } from './json-parts.js';
import { sendParts } from './send-parts.js';
import { HttpError, type KubeletContext, type KubeletRoute } from './types.js';

const TABLES: readonly string[] = ['raw', 'mangle', 'nat', 'filter'];
/** Whoever does not read what it asked for is not worth more memory. */
const MAX_UNREAD = 1024 * 1024;

/** Of the family that is asked for, or the node's primary one. @throws HttpError for one that there is not */
function kernelOf({ kernels, network }: KubeletContext, family: string | null): Kernel {
  switch (family) {
    case null:
      return kernels[familyLike(network.node.addresses[0])];
    case 'ipv4':
      return kernels.IPv4;
    case 'ipv6':
      return kernels.IPv6;
    default:
      throw new HttpError(400, `unknown family ${JSON.stringify(family)}: there are ipv4, ipv6`);
  }
}

/**
 * GET /rules?format=(one of TEXT_FORMATS, or json)&family=ipv4|ipv6&table=nat&counters=true. Without a format: as the tool
 * of the node's mode has it; without a family: the node's primary one. With watch=true: a line of JSON for each sync.
 */
export const rules: KubeletRoute = async (context, { url, response, signal }) => {
  if (url.searchParams.get('watch') === 'true') return watchSyncs(context, response, signal);
  const kernel = kernelOf(context, url.searchParams.get('family'));
  const format = url.searchParams.get('format') ?? formatOf(kernel);
  const table = url.searchParams.get('table') ?? undefined;
  if (table !== undefined && !TABLES.includes(table))
    throw new HttpError(400, `unknown table ${JSON.stringify(table)}`);
  const only = table === undefined ? {} : { table: table as TableName };
  const reading = { clock: context.clock, version: () => kernel.loads, signal };
  if (format === 'json') {
    const { nodeName: node, proxy } = context;
    const parts = function* (): Generator<string> {
      const steps = describeSteps(kernel, only.table);
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) yield '';
      yield* jsonParts({ node, proxy, ...step.value });
      yield '\n';
    };
    return sendParts(response, parts, { ...reading, type: 'application/json' });
  }
  if (!isTextFormat(format))
    throw new HttpError(
      400,
      `unknown format ${JSON.stringify(format)}: there are ${[...TEXT_FORMATS, 'json'].join(', ')}`,
    );
  const counters = url.searchParams.get('counters') === 'true';
  const type = format === 'nft-json' ? 'application/json' : 'text/plain; charset=utf-8';
  return sendParts(response, () => ruleParts(kernel, format, { ...only, counters }), { ...reading, type });
};

/** Ends with the client, or when it has stopped reading. */
async function watchSyncs({ syncs }: KubeletContext, response: ServerResponse, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  await new Promise<void>(resolve => {
    const stop = syncs.subscribe(sync => {
      response.write(`${JSON.stringify(sync)}\n`);
      if (response.writableLength > MAX_UNREAD) end();
    });
    const end = (): void => {
      stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
  });
  response.end();
}
