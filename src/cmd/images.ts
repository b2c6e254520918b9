import type { Command } from 'commander';

/** `kubette images`: what of images is simulated. */
export function register(program: Command): void {
  program
    .command('images')
    .description('list the images that are simulated: names, ports, programs, and what they do')
    .argument('[image]', 'one image, e.g. redis or docker.io/bitnami/redis:7, and all of it')
    .option('-o, --output <format>', 'text, json or markdown (docs/images.md)', 'text')
    .option('--json', 'the same as --output json')
    .action(async (image: string | undefined, options: Record<string, string | boolean>) => {
      const { runImages } = await import('./run-images.js');
      runImages(image, options);
    });
}
