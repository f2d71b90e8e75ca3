// What node:test reports, as TAP or, on a terminal, for people; and behind it, where it is found also in a log of which only the
// end was kept: the slowest files, every failed test with its error, and last of all the names of the failed, a line each.
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { spec, tap } from 'node:test/reporters';
import { inspect } from 'node:util';

const SLOWEST = 10;
const ERROR_LINES = 20;
/** A suite fails also because of a test in it, which is told by itself. */
const FAILED_INSIDE = 'subtestsFailed';

export default async function* report(events) {
  const run = new Run();
  const seen = run.watch(events);
  yield* process.stdout.isTTY ? Readable.from(seen).compose(new spec()) : tap(seen);
  for (const line of run.ending()) yield `${line}\n`;
}

class Run {
  #failed = [];
  #tookMs = new Map();
  #unfinished = new Map();
  #errorOutput = new Map();

  async *watch(events) {
    for await (const event of events) {
      this.#note(event);
      yield event;
    }
  }

  #note({ type, data }) {
    switch (type) {
      case 'test:dequeue':
        if (!isFile(data)) this.#unfinished.set(keyOf(data), data);
        break;
      case 'test:pass':
        this.#unfinished.delete(keyOf(data));
        break;
      case 'test:fail':
        this.#unfinished.delete(keyOf(data));
        if (data.details.error.failureType !== FAILED_INSIDE) this.#failed.push(this.#failureOf(data));
        break;
      case 'test:complete':
        if (isFile(data)) this.#tookMs.set(data.file, data.details.duration_ms);
        break;
      case 'test:stderr':
        this.#errorOutput.set(data.file, [...this.#errorOutputOf(data), data.message].slice(-ERROR_LINES));
        break;
    }
  }

  /** A file that did not end, or ended badly, also tells what it was at and what it said last. */
  #failureOf(data) {
    const { cause, message } = data.details.error;
    const error = cause instanceof Error ? inspect(cause) : String(cause ?? message);
    const file = sourceOf(data.file);
    if (!isFile(data)) return { file, name: data.name, error };
    const unfinished = [...this.#unfinished.values()].filter((test) => test.file === data.file);
    const told = [error, ...unfinished.map(({ name }) => `unfinished: ${name}`), ...this.#errorOutputOf(data)];
    return { file, name: '(the file as a whole)', error: told.join('\n') };
  }

  #errorOutputOf({ file }) {
    return this.#errorOutput.get(file) ?? [];
  }

  ending() {
    const details = this.#failed.flatMap(({ file, name, error }) => [
      '',
      `FAILED ${file}: ${name}`,
      ...shortened(error),
    ]);
    const names = this.#failed.map(({ file, name }) => `  ${file}: ${name}`);
    const verdict = names.length === 0 ? 'No test failed.' : `Failed tests: ${names.length}`;
    return [...this.#slowest(), ...details, '', verdict, ...names];
  }

  #slowest() {
    const slowest = [...this.#tookMs].sort(([, one], [, other]) => other - one).slice(0, SLOWEST);
    const lines = slowest.map(([file, tookMs]) => `${(tookMs / 1000).toFixed(1).padStart(7)} s  ${sourceOf(file)}`);
    return ['', 'The slowest files:', ...lines];
  }
}

/** The runner tells of each file as of a test with the file's name. */
const isFile = ({ file, name }) => name === file;

const keyOf = ({ file, nesting, name }) => JSON.stringify([file, nesting, name]);

/** Of a compiled file, its source. */
const sourceOf = (file) => relative('', file).replace(/^dist\/(.*)\.js$/, '$1.ts');

function shortened(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.length <= ERROR_LINES ? lines : [...lines.slice(0, ERROR_LINES - 1), '…'];
  return shown.map((line) => `    ${line}`);
}
