import { IMAGES } from '../../containers/images/index.js';
import type { KnownImage } from '../../containers/images/types.js';

/** What users are told of an image. */
export interface ImageFacts {
  readonly names: readonly string[];
  /** With protocol where it is not TCP. */
  readonly ports: readonly string[];
  /** Its own programs, beside those of the userland. */
  readonly programs: readonly string[];
  /** Whether it has a shell and the usual tools. */
  readonly shell: boolean;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** What it does, in a line. */
  readonly about: string;
}

/** How the first official name is written. */
export const shownName = (name: string): string => name.replace(/^library\//, '');

export const factsOf = ({ names, ports, programs, userland, entrypoint, cmd, about }: KnownImage): ImageFacts => ({
  // "library/node" beside "node": the owner says nothing more.
  names: [...new Set(names.map(shownName))],
  ports,
  programs: Object.keys(programs).filter(name => !ENTRYPOINTS.has(name)),
  shell: userland,
  entrypoint,
  cmd,
  about,
});

/** Scripts that nobody calls by themselves. */
const ENTRYPOINTS = new Set([
  'docker-entrypoint.sh',
  'entrypoint.sh',
  'run.sh',
  'run',
  'setup.sh',
  '__cacert_entrypoint.sh',
  'curl-entrypoint',
]);

export const allFacts = (): ImageFacts[] => IMAGES.map(factsOf);
