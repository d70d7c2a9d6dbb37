/** Streams an object into a bucket and back, and prints by how much the memory of this process grew over a small one before. */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createS3Storage } from '../../../src/platform/storage/s3/s3-storage.ts';
import { silentLog } from '../../support/factories.ts';

const [endpoint = '', megabytes = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2);
const megabyte = 1024 * 1024;

const source = (count: number) =>
  Readable.from(
    (function* () {
      for (let block = 0; block < count; block += 1) yield Buffer.alloc(megabyte, block);
    })(),
    { highWaterMark: 1 },
  );

const main = async () => {
  const storage = createS3Storage({
    bucket: 'memory',
    prefix: '',
    region: 'us-east-1',
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    log: silentLog,
  });
  let received = 0;
  const sink = () =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        received += chunk.length;
        setImmediate(done);
      },
    });
  await storage.put('warm', source(1));
  await pipeline(await storage.read('warm'), sink());
  const before = process.memoryUsage().rss;
  received = 0;
  let highest = 0;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 5);
  const { sizeInBytes } = await storage.put('large', source(Number(megabytes)));
  await pipeline(await storage.read('large'), sink());
  clearInterval(timer);
  storage.close();
  const grownMb = Math.round((highest - before) / megabyte);
  console.log(JSON.stringify({ sizeInBytes, received, grownMb }));
};

main();
