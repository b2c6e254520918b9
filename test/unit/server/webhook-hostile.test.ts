import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { FakeClock, realClock, type Clock } from '../../../src/machinery/clock.js';
import { createTurns, type Turns } from '../../../src/machinery/turns.js';
import { issueCertificate, type KeyPair } from '../../../src/machinery/x509/certificate.js';
import { REVIEWS } from '../../../src/server/admission/webhooks/review.js';
import { createDialer } from '../../../src/server/dial/create-dialer.js';
import type { KubeletConnection } from '../../../src/server/dial/kubelet-connection.js';
import { createWebhookClient } from '../../../src/server/webhook-client/call.js';
import { withDeadline } from '../../../src/server/webhook-client/deadline.js';
import { until } from '../../support/until.js';

/* Whoever is asked may answer whatever they like: it is bounded in time and memory, and nobody else waits for it. */

const HOUR = 3_600_000;
const MAX_BYTES = 1_000_000;

const issue = (usage: 'ca' | 'server', issuer?: KeyPair): KeyPair =>
  issueCertificate({
    subject: { commonName: usage },
    usage,
    notBefore: Date.now() - HOUR,
    notAfter: Date.now() + HOUR,
    ...(issuer === undefined ? {} : { issuer, subjectAltNames: ['127.0.0.1'] }),
  });
const CA = issue('ca');
const SERVING = issue('server', CA);

interface Hostile {
  readonly url: string;
  ask(signal?: AbortSignal, seconds?: number): Promise<unknown>;
}

async function start(
  t: Test,
  answer: RequestListener,
  clock: Clock = realClock,
  turns: Turns = createTurns(realClock),
): Promise<Hostile> {
  const server = createServer(SERVING, answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dialer = createDialer({
    objects: { get: () => undefined, list: () => [] },
    kubelet: {} as KubeletConnection,
    clock,
    random: () => 0,
    machine: [],
    own: () => ({ address: undefined, port: undefined }),
  });
  t.teardown(() => {
    dialer.close();
    server.closeAllConnections();
    server.close();
  });
  const call = createWebhookClient({ dialer, clock, turns });
  return {
    url,
    ask: (signal = new AbortController().signal, seconds = 10) =>
      withDeadline(clock, seconds * 1000, signal, inner =>
        call({
          config: { url: `${url}/hook`, caBundle: Buffer.from(CA.cert).toString('base64') },
          body: Buffer.from('{}'),
          timeoutSeconds: seconds,
          signal: inner,
          answer: REVIEWS.v1,
          maxBytes: MAX_BYTES,
        }),
      ),
  };
}

const endless = (chunk: string): RequestListener =>
  function more(_request, response) {
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', write);
    };
    write();
  };

t.test('what a hostile webhook answers is refused, in words', async t => {
  const text =
    (body: string | Buffer, headers: Record<string, string> = {}): RequestListener =>
    (_request, response) =>
      void response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(body);
  const longer = /Original error: the body is longer than 1000000 bytes$/;
  const rows: { name: string; answer: RequestListener; expect: RegExp }[] = [
    { name: 'an answer without end', answer: endless('x'.repeat(65_536)), expect: longer },
    {
      name: 'a gigabyte that is announced',
      answer: text('x', { 'Content-Length': '1000000000' }),
      expect: longer,
    },
    {
      name: 'a bomb',
      answer: text(gzipSync(Buffer.alloc(20_000_000)), { 'Content-Encoding': 'gzip' }),
      expect: longer,
    },
    {
      name: 'no gzip at all',
      answer: text('x'.repeat(100), { 'Content-Encoding': 'gzip' }),
      expect: /Original error: gzip: invalid header$/,
    },
    {
      name: 'garbage',
      answer: text(Buffer.from([0xff, 0xfe, 0, 1])),
      expect: /control characters are not allowed|yaml/,
    },
    {
      name: 'deep JSON',
      answer: text(`{"a":${'['.repeat(400_000)}`),
      expect: /json parse error: exceeded max depth$/,
    },
    { name: 'deep YAML', answer: text('['.repeat(100_000)), expect: /exceeded max depth/ },
    {
      name: 'very many values',
      answer: text(`{"a":[${'1,'.repeat(200_000)}1]}`),
      expect: /^an answer has more than 50000 values$/,
    },
    { name: 'a long text', answer: text('long '.repeat(100_000)), expect: /^an answer of 500000 bytes is no JSON$/ },
    {
      name: 'many warnings of a wrong type',
      answer: text(`{"response":{"warnings":[${'1,'.repeat(40_000)}1]}}`),
      expect: /cannot unmarshal number into Go struct field AdmissionResponse.response.warnings of type string$/,
    },
    {
      name: 'a redirect to itself',
      answer: (_request, response) => void response.writeHead(307, { Location: '/hook' }).end(),
      expect: /stopped after 10 redirects$/,
    },
    {
      name: 'a redirect to a file',
      answer: (_request, response) => void response.writeHead(302, { Location: 'file:///etc/passwd' }).end(),
      expect: /unsupported protocol scheme "file"$/,
    },
    {
      name: 'a redirect to nowhere',
      answer: (_request, response) => void response.writeHead(302, { Location: 'https://[' }).end(),
      expect: /failed to parse Location header "https:\/\/\["$/,
    },
    {
      name: 'a long status text',
      answer: (_q, r) => void r.writeHead(500).end('y'.repeat(900_000)),
      expect: /^.{2000,2300}$/,
    },
  ];
  for (const { name, answer, expect } of rows) {
    const { ask } = await start(t, answer);
    await t.rejects(ask(), { name: 'WebhookCallError', message: expect }, name);
  }
});

t.test('what keeps the server waiting ends with its time, and its connection with it', async t => {
  const rows: { name: string; answer: RequestListener; expect: RegExp }[] = [
    { name: 'silence', answer: () => undefined, expect: /^Post ".*": context deadline exceeded$/ },
    {
      name: 'a head and no body',
      answer: (_request, response) => void response.writeHead(200, { 'Content-Length': '100' }).flushHeaders(),
      expect: /^unexpected error when reading response body. .* context deadline exceeded$/,
    },
    {
      name: 'a slow drip',
      answer: (_request, response) => {
        const drip = setInterval(() => void response.write('{'), 5);
        response.on('close', () => clearInterval(drip));
      },
      expect: /context deadline exceeded$/,
    },
    {
      name: 'a wait that it asks for',
      answer: (_request, response) => void response.writeHead(503, { 'Retry-After': '86400' }).end(),
      expect: /^Post ".*": context deadline exceeded$/,
    },
  ];
  for (const { name, answer, expect } of rows) {
    const clock = new FakeClock();
    let asked = 0;
    let open = 0;
    const hostile = await start(
      t,
      (request, response) => {
        if (asked++ === 0) request.socket.once('close', () => open--);
        open = 1;
        answer(request, response);
      },
      clock,
    );
    const result = hostile.ask(undefined, 3);
    result.catch(() => undefined);
    await until('it is asked', () => asked > 0);
    // Whatever is under way comes to rest first.
    await clock.advance(0);
    clock.step(3000);
    await t.rejects(result, { name: 'WebhookCallError', message: expect }, name);
    if (name !== 'a wait that it asks for') await until('its connection is gone', () => open === 0);
  }
});

t.test('whoever asked may go', async t => {
  let asked = 0;
  const { ask } = await start(t, () => void asked++);
  const gone = new AbortController();
  const result = ask(gone.signal);
  result.catch(() => undefined);
  await until('it is asked', () => asked === 1);
  const reason = new Error('the client is gone');
  gone.abort(reason);
  await t.rejects(result, reason);
});

t.test('others have their turns while a long answer is read', async t => {
  const long = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"warnings":[${'"w",'.repeat(45_000)}"w"]}}`;
  let rests = 0;
  const turns: Turns = {
    isOver: () => true,
    next: () => {
      rests++;
      return Promise.resolve();
    },
  };
  const { ask } = await start(t, (_request, response) => void response.end(long), realClock, turns);
  await ask();
  t.ok(rests > 10, `${rests} rests`);
});
