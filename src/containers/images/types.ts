import type { Program } from '../process.js';

/** A simulated image. Adding one is a file like this and a line in index.ts. */
export interface Image {
  /** Repository names without registry, path and tag: "nginx" answers to docker.io/library/nginx:1.27. */
  readonly names: readonly string[];
  /** What runs when the container names no command. */
  readonly entrypoint: readonly string[];
  /** Arguments when the container names neither command nor args. */
  readonly cmd: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Who its programs run as unless the Pod says otherwise; root when absent. */
  readonly user?: number;
  /** What /etc/passwd and /etc/group of the image say beside root, by user ID. */
  readonly accounts?: Readonly<Record<number, { readonly gid: number; readonly groups?: readonly number[] }>>;
  /** The image's own programs, by name. */
  readonly programs: Readonly<Record<string, Program>>;
  /** Whether it has a shell and the usual tools beside its own programs. */
  readonly userland: boolean;
  /** Files of the image, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** False for a tag that the registry does not have; absent: it has every one. */
  readonly hasTag?: (tag: string) => boolean;
  /** What runs as the main process where `found` is the program of the command's name; absent: that program. */
  readonly main?: (command: string, found: Program | undefined) => Program | undefined;
  /** The same for the command of a probe or of a lifecycle hook. */
  readonly check?: (command: string, found: Program | undefined) => Program | undefined;
  /** What users are told when this image stands for one that nobody simulates. */
  readonly note?: string;
}
