import { staticServer } from './nginx.js';
import type { KnownImage } from './types.js';

export const httpd: KnownImage = {
  names: ['httpd'],
  about: 'Apache serving the files of /usr/local/apache2/htdocs',
  ports: ['80'],
  entrypoint: ['httpd-foreground'],
  cmd: [],
  workingDir: '/usr/local/apache2',
  programs: { 'httpd-foreground': staticServer('Apache/2.4.65 (Unix)', '/usr/local/apache2/htdocs', 80) },
  userland: true,
  files: { '/usr/local/apache2/htdocs/index.html': '<html><body><h1>It works!</h1></body></html>\n' },
};
