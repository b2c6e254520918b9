import { STATUS_CODES, type ServerResponse } from 'node:http';

/** A page that says no more than its status. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: readonly (readonly [string, string])[] = [],
  closing = false,
): void {
  if (response.headersSent) return void response.destroy();
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>kubette</center>\r\n</body>\r\n</html>\r\n`;
  response.writeHead(status, [
    ...headers.flat(),
    ...['Content-Type', 'text/html', 'Content-Length', String(Buffer.byteLength(body))],
    ...(closing ? ['Connection', 'close'] : []),
  ]);
  response.end(body);
}
