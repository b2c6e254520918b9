import type { Clock } from '../../machinery/clock.js';
import type { Catalog } from '../../api/catalog.js';
import { resourceId } from '../../api/resource-info.js';
import type { Family } from '../endpoints/metric-families.js';
import { createMetrics, type Metrics } from '../endpoints/metrics.js';
import type { Registries } from '../registry/create-registries.js';

/** What the server counts. @param families what its parts count, in the order in which it is shown */
export const composeMetrics = (
  clock: Clock,
  catalog: Pick<Catalog, 'entries'>,
  registries: Pick<Registries, 'count'>,
  families: readonly Family[],
): Metrics =>
  createMetrics(
    clock,
    function* () {
      for (const entry of catalog.entries())
        if (entry.info.stored) yield [resourceId(entry.info), registries.count(entry)];
    },
    families,
  );
