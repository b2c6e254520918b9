import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { cleaned, pathBelow } from '../../../src/server/connect/proxy-path.js';
import { rewriteLinks } from '../../../src/server/connect/rewrite/html.js';
import { linkRewriter } from '../../../src/server/connect/rewrite/link.js';
import { forwardedUri, proxyPrefix } from '../../../src/server/connect/rewrite/prefix.js';
import { startProxiedNode, WEB } from '../../support/proxied-node.js';

const PREFIX = '/api/v1/namespaces/default/pods/web/proxy';
const rewrite = linkRewriter({ prefix: PREFIX, backend: `${WEB}:80`, requested: 'front.example:8001' });

t.test('links', async t => {
  const rows: [link: string, expect: string][] = [
    ['/x', `${PREFIX}/x`],
    ['/', `${PREFIX}/`],
    ['/a/?b=/c#/d', `${PREFIX}/a/?b=/c#/d`],
    [`http://${WEB}:80/x`, `${PREFIX}/x`],
    [`//${WEB}:80/x`, `${PREFIX}/x`],
    ['http://front.example:8001/x', `http://front.example:8001${PREFIX}/x`],
    [`${PREFIX}/x`, `${PREFIX}/x`],
    ['x', 'x'],
    ['./x', './x'],
    ['?q', '?q'],
    ['#f', '#f'],
    ['', ''],
    ['https://elsewhere.example/x', 'https://elsewhere.example/x'],
    ['//elsewhere.example/x', '//elsewhere.example/x'],
    [`http://${WEB}:81/x`, `http://${WEB}:81/x`],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['/a\u0001b', '/a\u0001b'],
    ['/a/../b', `${PREFIX}/b`],
  ];
  for (const [link, expect] of rows) t.equal(rewrite(link), expect, link);
});

async function page(html: string, cut = html.length): Promise<string> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < html.length; at += cut) pieces.push(Buffer.from(html.slice(at, at + cut), 'latin1'));
  const out: Buffer[] = [];
  for await (const chunk of Readable.from(pieces).pipe(rewriteLinks(rewrite))) out.push(chunk as Buffer);
  return Buffer.concat(out).toString('latin1');
}

t.test('pages, however their bytes are cut', async t => {
  const rows: [html: string, expect: string][] = [
    ['<a href="/x">y</a>', `<a href="${PREFIX}/x">y</a>`],
    ["<A HREF='/x' target=_blank>", `<A HREF="${PREFIX}/x" target=_blank>`],
    ['<a href=/x>', `<a href="${PREFIX}/x">`],
    ['<a title="/x" href = "/y">', `<a title="/x" href = "${PREFIX}/y">`],
    [
      '<img src="/a.png" longdesc="/b" usemap="#c"/>',
      `<img src="${PREFIX}/a.png" longdesc="${PREFIX}/b" usemap="#c"/>`,
    ],
    ['<a href="/x?a=1&amp;b=2">', `<a href="${PREFIX}/x?a=1&amp;b=2">`],
    ['<a href="&#x2f;x">', `<a href="${PREFIX}/x">`],
    ['<form action="/go"><input src="/i">', `<form action="${PREFIX}/go"><input src="${PREFIX}/i">`],
    [
      '<script src="/s.js">if (a < b) document.write("<a href=\'/x\'>")</script><a href="/y">',
      `<script src="${PREFIX}/s.js">if (a < b) document.write("<a href='/x'>")</script><a href="${PREFIX}/y">`,
    ],
    ['<title><a href="/x"></title>', '<title><a href="/x"></title>'],
    ['<!-- <a href="/x"> --><a href="/y">', `<!-- <a href="/x"> --><a href="${PREFIX}/y">`],
    ['<!--><a href="/y">', `<!--><a href="${PREFIX}/y">`],
    ['<!doctype html><a href="/y">', `<!doctype html><a href="${PREFIX}/y">`],
    ['1 < 2 <a href="/y"> 3 <', `1 < 2 <a href="${PREFIX}/y"> 3 <`],
    ['<<a href="/y">', `<<a href="${PREFIX}/y">`],
    ['<a href="/y', '<a href="/y'],
    ['<a href="x>y" title=">" id="/z">', '<a href="x>y" title=">" id="/z">'],
    ['<div href="/x">', '<div href="/x">'],
    ['</a href="/x">', '</a href="/x">'],
    ['<constructor href="/x">', '<constructor href="/x">'],
    ['\xe4\xf6<a href="/\xe4">', `\xe4\xf6<a href="${PREFIX}/\xe4">`],
    [`<a ${'x'.repeat(70_000)} href="/x"><a href="/y">`, `<a ${'x'.repeat(70_000)} href="/x"><a href="${PREFIX}/y">`],
  ];
  for (const [html, expect] of rows) {
    t.equal(await page(html), expect, html.slice(0, 80));
    if (html.length < 1000) t.equal(await page(html, 1), expect, `${html}, byte by byte`);
  }
});

t.test('paths below a proxy', async t => {
  const rows: [url: string, segments: number, expect: string][] = [
    ['/a/b/proxy', 0, ''],
    ['/a/b/proxy/', 0, '/'],
    ['/a/b/proxy/x/', 1, '/x/'],
    ['/a/b/proxy/x%2Fy?z', 2, '/x/y'],
    ["/a/b/proxy/%E4 (!*')", 1, '/%E4%20%28%21%2A%27%29'],
    ['http://h/a/b/proxy/x', 1, '/x'],
    ['/a/b/proxy//x//y', 4, '/x/y'],
    ['/a/b/proxy/../x', 2, '/../x'],
  ];
  for (const [url, segments, expect] of rows) t.equal(pathBelow(url, segments), expect, url);
  for (const [path, expect] of [
    ['/', '/'],
    ['/a/../b/', '/b/'],
    ['/../../x', '/x'],
    ['/a/..', '/'],
    ['/a/./b/.', '/a/b'],
  ] as const)
    t.equal(cleaned(path), expect, path);
});

t.test('where the client asked, as the real server says it', async t => {
  const rows: [requested: string, backend: string, uri: string][] = [
    [`${PREFIX}/a`, '/a?b=c', `${PREFIX}/a`],
    [`${PREFIX}/a b`, '/a%20b', `${PREFIX}/a%20b`],
    [`${PREFIX}/`, '/', `${PREFIX}/`],
    [`${PREFIX}//x//y/`, '/x/y/', `${PREFIX}/x/y/x/y/`],
    [`${PREFIX}/../../../../containerLogs/o`, '/../../../../containerLogs/o', '/api/v1/namespaces/containerLogs/o'],
  ];
  for (const [requested, backend, uri] of rows)
    t.equal(forwardedUri(proxyPrefix(requested, backend), backend), uri, requested);
});

t.test('an answer is led back through the proxy', async t => {
  const node = await startProxiedNode(t);
  const html = '<html><a href="/next">x</a></html>';
  const rewritten = `<html><a href="${PREFIX}/next">x</a></html>`;
  const answer = (headers: string, body: string | Buffer): void =>
    node.serve(stream =>
      stream.once('data', () => {
        stream.write(`HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
        stream.end(body);
      }),
    );
  answer('Content-Type: text/html; charset=utf-8\r\n', html);
  const plain = await node.api.request('GET', `${PREFIX}/`);
  t.equal(plain.text, rewritten);
  t.equal(plain.headers['content-length'], undefined, 'it is another length now');
  answer('Content-Type: text/plain\r\n', html);
  t.match(await node.api.request('GET', `${PREFIX}/`), {
    text: html,
    headers: { 'content-length': String(html.length) },
  });
  answer('Content-Type: text/html\r\nContent-Encoding: br\r\n', html);
  t.equal((await node.api.request('GET', `${PREFIX}/`)).text, html, 'what cannot be read is left alone');
  answer('Content-Type: text/html\r\nContent-Encoding: gzip\r\n', gzipSync(html));
  const socket = await node.api.socket();
  // A client of HTTP/1.0 gets no chunks.
  socket.write(`GET ${PREFIX}/ HTTP/1.0\r\nHost: x\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  t.equal(gunzipSync(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)).toString(), rewritten, 'still compressed');
  for (const [location, expect] of [
    ['/next?a=b', `${PREFIX}/next?a=b`],
    ['next', 'next'],
    ['https://elsewhere.example/', 'https://elsewhere.example/'],
  ] as const) {
    answer(`Location: ${location}\r\nAccess-Control-Allow-Origin: *\r\nX-Own: 1\r\n`, '');
    const { headers } = await node.api.request('GET', `${PREFIX}/`);
    t.match(headers, { location: expect, 'x-own': '1' });
    t.equal(headers['access-control-allow-origin'], undefined);
  }
});
