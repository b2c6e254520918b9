import type { Program } from '../process.js';

/** Whether a program that is given these arguments (without its name) is to run code. */
export type Interpreter = (args: readonly string[]) => boolean;

/** A simulated image. */
export interface Image {
  /**
   * Repository names without registry and tag: "nginx" answers to docker.io/library/nginx:1.27 and to any other owner's,
   * "library/node" to that owner's alone, on any registry.
   */
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
  /** Programs that run what users bring: code, of which nothing can be known here. */
  readonly interpreters?: Readonly<Record<string, Interpreter>>;
  /** What users are told when this image stands for one that nobody simulates. */
  readonly note?: string;
}

/** An image of the catalogue, as `kubette images` shows it. Adding one is a row of a table or a file, and a line in index.ts. */
export interface KnownImage extends Image {
  /** One line. */
  readonly about: string;
  /** Where it listens unless told otherwise, with protocol: "6379", "53/udp". */
  readonly ports: readonly string[];
}
