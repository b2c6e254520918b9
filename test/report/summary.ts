/** Reads TAP line by line and writes what a person wants to keep in a file. */
export interface Summary {
  line(text: string): void;
  /** Writes the totals where they are not yet. @returns whether everything passed */
  end(): boolean;
}

/** One test file, or one test of a file that is run by itself, as it goes by. */
interface Block {
  passed: number;
  /** Reason → how many. */
  readonly skipped: Map<string, number>;
  readonly comments: string[];
  /** Failures with what the runner says about them. */
  readonly failures: string[];
  /** Tests that have begun and not ended: indentation → name. */
  readonly open: Map<number, string>;
}

const RESULT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # (.*))?$/;
const SUBTEST = /^( *)# Subtest: (.*)$/;
const COMMENT = /^ *# (.*)$/;
/** What the runner says of itself. */
const NOISE = /^(time=|No coverage|test count|failed \d+)/;
const MOST_COMMENTS = 20;
/** Files that are named for what they took of the processors. */
const DEAREST = 10;
/** Of a line of a failure's diagnostics: a difference may quote megabytes. */
const MOST_TEXT = 500;

const newBlock = (): Block => ({ passed: 0, skipped: new Map(), comments: [], failures: [], open: new Map() });

/** `terse`: nothing of files that pass, but for what they skip. */
export function createSummary(write: (line: string) => void, { terse = false } = {}): Summary {
  let total = { passed: 0, failed: 0, skipped: 0 };
  let block = newBlock();
  /** The failure whose diagnostics are being read, and how far they are indented. */
  let diagnosing: { readonly indent: number; readonly add: (line: string) => void } | undefined;
  let bailed = false;
  let runs = 0;
  /** File → seconds of a processor, where the runner says so. */
  let cpu = new Map<string, number>();
  let fine = true;

  const diagnostic = (text: string): boolean => {
    if (diagnosing === undefined) return false;
    const { indent, add } = diagnosing;
    const body = text.slice(indent + 2);
    if (text.trim() !== '' && !text.startsWith(' '.repeat(indent + 2))) {
      diagnosing = undefined;
      return false;
    }
    if (body === '...') diagnosing = undefined;
    else if (body !== '---' && text.trim() !== '') add(`      ${body.slice(0, MOST_TEXT)}`);
    return true;
  };

  const leaf = (name: string, failed: boolean, directive: string, indent: number): void => {
    const reason = /^(?:SKIP|TODO)\s*(.*)$/.exec(directive)?.[1];
    if (reason !== undefined) {
      block.skipped.set(reason, (block.skipped.get(reason) ?? 0) + 1);
      total.skipped++;
    } else if (!failed) {
      block.passed++;
      total.passed++;
    } else {
      total.failed++;
      const way = [...block.open].sort(([a], [b]) => a - b).map(([, opened]) => opened);
      const { failures } = block;
      failures.push(`    ${[...way.slice(1), name].join(' > ')}`);
      // What is said of the block itself comes when its line is written.
      diagnosing = { indent, add: indent === 0 ? write : text => failures.push(text) };
    }
  };

  const finish = (name: string, failed: boolean, directive: string): void => {
    const taken = / cpu=(\d+)ms/.exec(directive)?.[1];
    if (taken !== undefined) cpu.set(name, Number(taken) / 1000);
    if (terse && !failed && block.skipped.size === 0) {
      block = newBlock();
      return;
    }
    const seconds = Number(/^time=([\d.]+)ms/.exec(directive)?.[1] ?? 0) / 1000;
    write(`${failed ? 'FAIL' : 'ok  '} ${seconds.toFixed(1).padStart(6)} s  ${name} (${block.passed})`);
    for (const text of block.comments.slice(0, MOST_COMMENTS)) write(`    # ${text}`);
    if (block.comments.length > MOST_COMMENTS) write(`    # and ${block.comments.length - MOST_COMMENTS} more`);
    for (const [reason, times] of block.skipped) write(`    SKIPPED ${times}: ${reason}`);
    for (const text of block.failures) write(text);
    block = newBlock();
  };

  const result = (indent: number, failed: boolean, name: string, directive: string): void => {
    const parent = block.open.delete(indent);
    // A test fails with what is in it; one that ends with nothing failed in it was killed, or ran out of time.
    if (!parent || (failed && block.failures.length === 0) || directive.startsWith('SKIP'))
      leaf(name, failed, directive, indent);
    if (indent === 0) finish(name, failed, directive);
  };

  const writeDearest = (): void => {
    const dearest = [...cpu].sort(([, a], [, b]) => b - a);
    const all = dearest.reduce((sum, [, seconds]) => sum + seconds, 0);
    write(`CPU: ${all.toFixed(0)} s with the processes that files waited for, of which`);
    for (const [name, seconds] of dearest.slice(0, DEAREST)) write(`     ${seconds.toFixed(1).padStart(6)} s  ${name}`);
  };

  const finishRun = (): void => {
    const { passed, failed, skipped } = total;
    for (const text of block.comments) write(`# ${text}`);
    if (cpu.size > 1) writeDearest();
    write(`Asserts: ${passed} pass, ${failed} fail, ${skipped} skip of ${passed + failed + skipped}`);
    if (failed > 0 || bailed || passed + skipped === 0) fine = false;
    cpu = new Map();
    total = { passed: 0, failed: 0, skipped: 0 };
    block = newBlock();
    runs++;
  };

  return {
    line(text) {
      if (diagnostic(text)) return;
      // The last line of a run; under a watch, more runs follow.
      if (text.startsWith('# time=')) {
        finishRun();
        return write(text);
      }
      if (text.startsWith('# { total')) return write(text);
      const started = SUBTEST.exec(text);
      if (started !== null) {
        block.open.set((started[1] ?? '').length, started[2] ?? '');
        return;
      }
      const found = RESULT.exec(text);
      if (found !== null)
        return result((found[1] ?? '').length, found[2] !== undefined, found[3] ?? '', found[4] ?? '');
      if (/^ *Bail out!/.test(text)) {
        bailed = true;
        write(text.trim());
      }
      const said = COMMENT.exec(text)?.[1];
      if (said !== undefined && !NOISE.test(said)) block.comments.push(said);
    },
    end() {
      if (total.passed + total.failed + total.skipped > 0 || runs === 0) finishRun();
      return fine;
    },
  };
}
