import { createHash } from 'node:crypto';
import { checkRendered, eventsNamed, isTime } from './check-rendered.ts';
import { downloadBytes, type Scene } from './scene.ts';

/** Two stills, one after the other, of one user: an event for each, a first for one, and nothing of a batch. Then their downloads. */
export const checkSingleRenders = async (scene: Scene): Promise<void> => {
  const { client, log, list } = scene;
  const who = { userId: 'solo', projectId: 'core-value' };
  await client.putUser(who.userId, { tier: 'pro' });
  const png = await client.renderStill({ ...who, compositionId: 'product-card', format: 'png' });
  const jpeg = await client.renderStill({
    ...who,
    compositionId: 'example-hero-ad',
    format: 'jpeg',
    width: 970,
    height: 250,
  });
  const files = [];
  for (const record of [png, jpeg]) {
    if (record.file === null) throw new Error(`${record.id} has no file`);
    files.push({ record, file: record.file, bytes: await downloadBytes(scene, record.file.fileId) });
  }
  await log.readUntil(
    (events) => eventsNamed(events, 'download_completed', { exportType: 'single_file' }).length >= 2,
  );

  list.heading('Two stills, one by one: a PNG and a JPEG');
  checkRendered(list, log.events, files, { cached: false });
  list.check(
    'SHA-256 of the record, of the bytes',
    files.map(({ file }) => file.sha256),
    files.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')),
  );
  const firsts = eventsNamed(log.events, 'first_render_completed').filter(
    ({ userId }) => userId === who.userId,
  );
  list.check(
    'first_render_completed, once, of the first',
    firsts.map(({ properties }) => properties.exportId),
    [png.id],
  );
  list.check(
    'processing_completed, of each',
    files.map(
      ({ record }) => eventsNamed(log.events, 'processing_completed', { exportId: record.id }).length,
    ),
    [1, 1],
  );
  list.check('events of a batch', log.events.filter(({ event }) => event.startsWith('batch_')).length, 0);

  list.heading('Their downloads, each for itself');
  for (const { record, file, bytes } of files)
    for (const name of ['export_downloaded', 'download_completed']) {
      const found = eventsNamed(log.events, name, { fileId: file.fileId });
      list.check(
        `${name} of the ${record.format}`,
        found.map(({ properties: { timestamp: _timestamp, duration: _duration, ...facts } }) => facts),
        [
          {
            exportType: 'single_file',
            fileCount: 1,
            sizeInBytes: bytes.length,
            format: record.format,
            fileId: file.fileId,
            exportId: record.id,
            ...(name === 'export_downloaded' ? { second_download_attempt: false, download_count: 1 } : {}),
          },
        ],
      );
      const times = found.map(({ properties }) => properties.timestamp);
      list.fits(`${name}: timestamp`, times, 'ISO 8601 of this hour', times.every(isTime));
      if (name === 'download_completed') {
        const durations = found.map(({ properties }) => properties.duration);
        const are = durations.every((ms) => typeof ms === 'number' && ms >= 0 && ms < 60_000);
        list.fits(`${name}: duration`, durations, 'milliseconds', are);
      }
    }
  await checkUncounted(scene, png.file?.fileId ?? '');
};

/** A second download within minutes, a preview and a part from the middle are no further downloads. */
const checkUncounted = async (scene: Scene, fileId: string): Promise<void> => {
  const { log, list, url, key } = scene;
  await downloadBytes(scene, fileId);
  const from = `${url}/api/render/download?fileId=${fileId}`;
  for (const [address, headers] of [
    [`${from}&disposition=inline`, {}],
    [from, { range: 'bytes=100-199' }],
  ] as const) {
    const answer = await fetch(address, { headers: { authorization: `Bearer ${key}`, ...headers } });
    await answer.arrayBuffer();
  }
  // What comes next in the log shows that nothing of these is still on its way.
  const { id } = await scene.client.renderStill({
    userId: 'solo',
    projectId: 'core-value',
    compositionId: 'product-card',
    format: 'jpeg',
    width: 320,
    height: 50,
  });
  await log.readUntil((events) => eventsNamed(events, 'video_rendered', { exportId: id }).length > 0);
  list.check(
    'again, inline, and a part: no more export_downloaded',
    eventsNamed(log.events, 'export_downloaded', { fileId }).length,
    1,
  );
};
