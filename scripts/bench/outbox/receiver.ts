/**
 * Where the deliveries of the benchmark go: a process of its own, which answers at once and counts. It tells its address, and on
 * `times` at what time each event id arrived.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

const arrivals = new Map<string, number>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const id = request.headers['webhook-id'];
    if (typeof id === 'string') arrivals.set(id, Date.now());
    // Unzipped as PostHog has to, so that a large batch is not for nothing.
    const bytes = Buffer.concat(chunks);
    if (request.headers['content-encoding'] === 'gzip') gunzipSync(bytes);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"Ok"}');
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => {
  process.send?.({ times: [...arrivals] });
  arrivals.clear();
});
process.on('disconnect', () => process.exit());
