import { knownImage } from '../containers/images/index.js';
import { parseImage } from '../containers/images/reference.js';
import { nearest } from '../machinery/nearest.js';
import { allFacts, factsOf, type ImageFacts } from './images/facts.js';
import { formatImage, formatImages, formatPage } from './images/text.js';
import { fail } from './process.js';

const FORMATS: Readonly<Record<string, (images: readonly ImageFacts[]) => string>> = {
  text: formatImages,
  json: images => `${JSON.stringify(images, undefined, 2)}\n`,
  markdown: formatPage,
};

export function runImages(image: string | undefined, options: Readonly<Record<string, string | boolean>>): void {
  try {
    process.stdout.write(print(image, options['json'] === true ? 'json' : String(options['output'])));
  } catch (error) {
    fail('images', error);
  }
}

/** @throws Error for a format or an image that there is none of */
function print(image: string | undefined, format: string): string {
  const write = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (write === undefined)
    throw new Error(`unknown format ${JSON.stringify(format)}; there are ${Object.keys(FORMATS).join(', ')}`);
  if (image === undefined) return write(allFacts());
  const reference = parseImage(image);
  const known = reference === undefined ? undefined : knownImage(reference.path);
  if (known === undefined) throw new Error(unknownText(image));
  return format === 'text' ? formatImage(factsOf(known)) : write([factsOf(known)]);
}

function unknownText(image: string): string {
  const near = nearest(
    image,
    allFacts().flatMap(({ names }) => names),
  );
  const meant = near === undefined ? '' : ` (Did you mean ${near}?)`;
  return `${JSON.stringify(image)} is not simulated${meant}: it does what its Pod asks`;
}
