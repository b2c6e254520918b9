import { agnhost } from './agnhost/index.js';
import { echo } from './echo.js';
import { httpd } from './httpd.js';
import { nginx } from './nginx.js';
import { pause } from './pause.js';
import { busybox, curl, distribution } from './shells.js';
import type { Image } from './types.js';

/** Every simulated image. What is not among them serves `echo` on its declared ports. */
const IMAGES: readonly Image[] = [echo, nginx, httpd, busybox, distribution, curl, agnhost, pause];

const byName = new Map(IMAGES.flatMap(image => image.names.map(name => [name, image] as const)));

export const imageFor = (repository: string): Image => byName.get(repository) ?? echo;
