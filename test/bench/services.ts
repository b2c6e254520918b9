import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../../src/dataplane/kernel/routes.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { createProxier } from '../../src/dataplane/proxiers/index.js';
import { PROXY_MODES, type ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import type { Proxier } from '../../src/dataplane/proxiers/types.js';
import { realClock } from '../../src/machinery/clock.js';
import { seededRandom } from '../../src/machinery/random.js';
import type { EndpointSlice, Service } from '../../src/machinery/types.js';
import { ms, quantile, type Row } from './table.js';

const SERVICES = 10_000;
const ENDPOINTS = 10;
const CHANGES = 50;
const PACKETS = 20_000;
const NODE = '192.168.50.11';

/** 16 bits of the number as the last two parts of an address. */
const lastParts = (n: number): string => `${(n >> 8) & 255}.${n & 255}`;
const clusterIP = (i: number): string => `10.96.${lastParts(i)}`;

const serviceOf = (i: number): Service => ({
  metadata: { namespace: `ns${i % 100}`, name: `s${i}` },
  spec: { type: 'ClusterIP', clusterIP: clusterIP(i), ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
});

const sliceOf = (i: number, endpoints: number): EndpointSlice => ({
  metadata: { namespace: `ns${i % 100}`, name: `s${i}-a`, labels: { 'kubernetes.io/service-name': `s${i}` } },
  addressType: 'IPv4',
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  endpoints: Array.from({ length: endpoints }, (_, j) => ({
    addresses: [`10.${100 + j}.${lastParts(i)}`],
    conditions: { ready: true },
  })),
});

interface Machine {
  readonly proxy: Proxier;
  readonly kernel: Kernel;
}

/** Milliseconds of the compilation, and of loading what came of it. */
function sync({ proxy, kernel }: Machine): { compile: number; load: number } {
  const start = performance.now();
  const { program } = proxy.sync();
  const compiled = performance.now();
  if (program !== undefined) kernel.load(program);
  return { compile: compiled - start, load: performance.now() - compiled };
}

function machineFor(mode: ProxyMode): Machine {
  const random = seededRandom(1);
  const routes = createRouteTable('IPv4');
  routes.addAddress('eth0', NODE);
  routes.add({ destination: defaultRoute('IPv4'), link: 'eth0' });
  const proxy = createProxier({
    clock: realClock,
    mode,
    family: 'IPv4',
    nodeName: 'worker-a',
    nodeAddresses: [NODE],
    detectLocal: { kind: 'clusterCidr', cidrs: ['10.100.0.0/14'] },
  });
  const kernel = createKernel({ clock: realClock, random: () => random.number(), routes });
  for (let i = 0; i < SERVICES; i++) {
    proxy.onServiceUpdate(serviceOf(i));
    proxy.onSliceUpdate(sliceOf(i, ENDPOINTS));
  }
  return { proxy, kernel };
}

/** One proxy mode: everything at once, one change among all, packets. */
function mode(name: ProxyMode): Row[] {
  const machine = machineFor(name);
  const full = sync(machine);
  const changes = Array.from({ length: CHANGES }, (_, i) => {
    machine.proxy.onSliceUpdate(sliceOf(i, ENDPOINTS - 1));
    return sync(machine);
  });
  const start = performance.now();
  for (let i = 0; i < PACKETS; i++)
    machine.kernel.connect({
      proto: 'tcp',
      src: '10.100.0.9',
      srcPort: 1024 + (i % 60_000),
      dst: clusterIP((i * 37) % SERVICES),
      dstPort: 80,
      hook: 'prerouting',
      dryRun: true,
    });
  const perSecond = Math.round((PACKETS / (performance.now() - start)) * 1000);
  const of = `${name}, ${SERVICES} Services of ${ENDPOINTS} endpoints`;
  const one = quantile(
    changes.map(({ compile }) => compile),
    0.5,
  );
  return [
    { what: `${of}: all compiled and loaded`, value: ms(full.compile + full.load), goal: 'goal: under 1.5 s' },
    { what: '  one changed, compiled, median', value: ms(one), goal: 'goal: under 2 ms' },
    { what: '  traced packets', value: `${perSecond}/s` },
  ];
}

/** What the data plane costs in each proxy mode, in this process. */
export const services = (): Row[] => PROXY_MODES.flatMap(mode);
