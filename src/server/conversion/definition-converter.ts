import type { Converter } from '../../api/conversion.js';
import { nameOf, type Definition } from '../custom-resources/definition.js';
import { createConversionWebhook, type ConversionWebhookOptions } from './conversion-webhook.js';

/** What converts the objects of a definition; undefined: nobody is asked. */
export function createDefinitionConverter(
  options: ConversionWebhookOptions,
): (definition: Definition) => Converter | undefined {
  return definition => {
    const { conversion } = definition.spec ?? {};
    const webhook = conversion?.strategy === 'Webhook' ? conversion.webhook : undefined;
    const { clientConfig, conversionReviewVersions = [] } = webhook ?? {};
    if (clientConfig === undefined) return undefined;
    const converter = createConversionWebhook({ clientConfig, conversionReviewVersions }, options);
    return options.metrics.measured(nameOf(definition), converter);
  };
}
