import { FileError } from '../../../file-system.js';
import { readBody } from '../http.js';
import { goJson, log, type Handler } from './handler.js';

export const upload: Handler = async (server, request, response) => {
  log(server, 'GET /upload');
  const { files, random } = server.process.container;
  const content = fileOfForm(request.headers['content-type'] ?? '', await readBody(request));
  if (content === undefined) return void response.end(goJson({ error: 'Unable to upload file.' }));
  const path = `/uploads/upload${Math.floor(random() * 1e9)}`;
  try {
    files.makeDirectory('/uploads', { parents: true });
    await files.write(path, content, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return void response.end(goJson({ error: 'Unable to open file for write' }));
  }
  response.writeHead(201);
  response.end(goJson({ output: path }));
};

/** The first part named "file" of a multipart form. */
function fileOfForm(contentType: string, body: Buffer): Buffer | undefined {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return undefined;
  for (const part of body.toString('latin1').split(`--${boundary}`)) {
    const at = part.indexOf('\r\n\r\n');
    if (at < 0 || !/name="file"/.test(part.slice(0, at))) continue;
    return Buffer.from(part.slice(at + 4).replace(/\r\n$/, ''), 'latin1');
  }
  return undefined;
}
