import t from 'tap';
import { derivedContext } from '../../../src/api/derived-context.js';
import { fixture } from '../../support/registries.js';

t.test('a context made of another does all that it does', async t => {
  const f = await fixture();
  t.teardown(() => f.close());
  const plain = f.context();
  const said: string[] = [];
  const controller = new AbortController();
  class Asked {
    readonly user = plain.user;
    readonly clock = plain.clock;
    readonly options = plain.options;
    readonly objects = plain.objects;
    private readonly prefix = 'said: ';

    get signal(): AbortSignal {
      return controller.signal;
    }

    throwIfAborted(): void {
      this.signal.throwIfAborted();
    }

    warn(text: string): void {
      said.push(`${this.prefix}${text}`);
    }
  }
  const ctx = new Asked();
  const derived = derivedContext(ctx, { unadmitted: true, options: { ...ctx.options, dryRun: true } });
  t.match(derived, { unadmitted: true, options: { dryRun: true }, user: plain.user });
  t.equal(ctx.options.dryRun, false, 'the other one stays as it is');
  derived.warn('careful');
  t.same(said, ['said: careful']);
  controller.abort(new Error('gone'));
  t.ok(derived.signal.aborted);
  t.throws(() => derived.throwIfAborted?.(), { message: 'gone' });
});
