import { pipeline, type Readable, Transform } from 'node:stream';
import { RendermillError } from '../../../core/errors.ts';
import { asStorageError } from './s3-errors.ts';

const idleMs = 30_000;

/**
 * The body of an answer, as long as was announced or broken: never silently short. Destroying it closes the connection. A store that
 * sends nothing for so long, while the reader waits, is an error; a reader that takes its time is none.
 */
export const checkedBody = (source: Readable, expectedBytes: number, patienceMs = idleMs): Readable => {
  let received = 0;
  const wrongLength = () =>
    new RendermillError('storage_unavailable', {
      cause: new Error(`the store announced ${expectedBytes} bytes and gave ${received}`),
    });
  const checked = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      received += chunk.length;
      idle.refresh();
      if (received > expectedBytes) done(wrongLength());
      else done(null, chunk);
    },
    flush: (done) => done(received === expectedBytes ? null : wrongLength()),
    destroy: (error, done) => {
      clearTimeout(idle);
      done(error === null ? null : asStorageError(error));
    },
  });
  const idle = setTimeout(() => {
    const isReaderSlow = checked.writableNeedDrain || checked.readableLength > 0;
    if (isReaderSlow) idle.refresh();
    else checked.destroy(new Error(`the store sent nothing for ${patienceMs} ms`));
  }, patienceMs).unref();
  pipeline(source, checked, () => undefined);
  return checked;
};
