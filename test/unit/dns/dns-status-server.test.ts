import t from 'tap';
import { createDnsMetrics } from '../../../src/dns/metrics.js';
import { startStatusServer } from '../../../src/dns/status-server.js';

t.test('health, readiness and metrics over HTTP', async t => {
  const metrics = createDnsMetrics();
  metrics.observe({
    ...{ transport: 'udp', family: 4, query: undefined, rcode: 0, seconds: 0.001 },
    requestBytes: 40,
    responseBytes: 80,
  });
  let ready = false;
  const status = await startStatusServer({ bindAddress: '127.0.0.1', port: 0, metrics, isReady: () => ready });
  t.teardown(() => status.close());
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${status.port}${path}`);
    return [response.status, await response.text()];
  };
  t.same(await get('/health'), [200, 'OK']);
  t.same((await get('/ready'))[0], 503);
  ready = true;
  t.same(await get('/ready'), [200, 'OK']);
  t.match(
    (await get('/metrics'))[1],
    /coredns_dns_requests_total\{server="dns:\/\/:53",zone="dropped",view="",proto="udp",family="1",type="other"\} 1/,
  );
  t.same((await get('/nope'))[0], 404);
});
