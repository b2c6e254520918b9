import { NetfilterError } from '../../kernel/errors.js';
import { type RealServer, type VirtualServer, virtualKey, type VirtualService } from '../../kernel/ipvs/types.js';
import type { Family } from '../../packet.js';
import { eachLine, TEXT_LIMITS } from '../lines.js';
import { type Options, readOptions, serviceOf } from './parse-options.js';
import { endOf, hashesPort, numberOf, persistence, schedulerOf } from './parse-values.js';

interface Reading {
  readonly server: Omit<VirtualServer, 'realServers'>;
  readonly realServers: Map<string, RealServer>;
}

/** Reads what `ipvsadm -Sn` prints, as `ipvsadm -R` does on an empty table. @throws NetfilterError naming the line */
export function parseIpvsadmSave(text: string, family: Family, limits = TEXT_LIMITS): VirtualServer[] {
  const services = new Map<string, Reading>();
  eachLine(
    text,
    line => `line ${line}`,
    words => read(words, services, family),
    limits,
  );
  return [...services.values()].map(({ server, realServers }) => ({
    ...server,
    realServers: [...realServers.values()],
  }));
}

const ADD_SERVICE = new Set(['-A', '--add-service']);
const ADD_SERVER = new Set(['-a', '--add-server']);

function read([command = '', ...rest]: readonly string[], services: Map<string, Reading>, family: Family): void {
  if (ADD_SERVICE.has(command)) {
    const options = readOptions(rest, 'service');
    const service = serviceOf(options, family);
    const key = virtualKey(service);
    if (services.has(key)) throw new NetfilterError('Service already exists');
    services.set(key, { server: addedService(service, options), realServers: new Map() });
  } else if (ADD_SERVER.has(command)) {
    const options = readOptions(rest, 'server');
    const found = services.get(virtualKey(serviceOf(options, family)));
    if (found === undefined) throw new NetfilterError('Service not defined');
    const server = addedServer(options, family);
    const key = `${server.address} ${server.port}`;
    if (found.realServers.has(key)) throw new NetfilterError('Destination already exists');
    found.realServers.set(key, server);
  } else throw new NetfilterError(`${command}: only -A and -a are read`);
}

function addedService(service: VirtualService, options: Options): Reading['server'] {
  const scheduler = schedulerOf(options.get('scheduler') ?? 'wlc');
  const seconds = options.get('persistent');
  const flags = options.get('flags');
  return {
    ...service,
    scheduler,
    ...(seconds === undefined ? {} : { persistentSeconds: persistence(seconds) }),
    ...(flags === undefined ? {} : { hashesPort: hashesPort(flags, scheduler) }),
  };
}

function addedServer(options: Options, family: Family): RealServer {
  const end = options.get('realServer');
  if (end === undefined)
    throw new NetfilterError("You need to supply the 'real-server' option for the 'add-server' command");
  // Without an option ipvsadm takes direct routing.
  if (!options.has('masquerading')) throw new NetfilterError('only masquerading (-m) is simulated');
  return {
    ...endOf(end, family, 'illegal real server address[:port] specified'),
    weight: numberOf(options.get('weight') ?? '1', 0, 65_535, 'illegal weight specified'),
  };
}
