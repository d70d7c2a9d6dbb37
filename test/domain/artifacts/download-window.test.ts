import { afterAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { artifactKey, artifactPrefix } from '../../../src/domain/artifacts/artifact-keys.ts';
import { findArtifactsOf, getArtifact } from '../../../src/domain/artifacts/artifacts.ts';
import {
  closeDownloadWindow,
  type DownloadWindow,
  downloadWindowMinutes,
  dropOldWindows,
  openDownloadWindow,
} from '../../../src/domain/artifacts/download-window.ts';
import { assertStorageKey } from '../../../src/platform/storage/key.ts';
import {
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  hours,
  minutes,
  noon,
  openTestDatabase,
  outcomes,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const plus = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);
const open = (window: DownloadWindow, at: Date) =>
  db.transaction().execute((tx) => openDownloadWindow(tx, window, at));
const shut = (window: DownloadWindow, at: Date) =>
  db.transaction().execute((tx) => closeDownloadWindow(tx, window, at));
const newWindow = (): DownloadWindow => ({ organizationId: 'o', fileId: newId(), client: 'c' });

describe('the window of a download', () => {
  test(`lasts ${downloadWindowMinutes} minutes from the download that was counted, not from the last one that was not`, async () => {
    const window = newWindow();
    expect(await open(window, plus(0))).toBe(true);
    expect(await open(window, plus(minutes(9)))).toBe(false);
    expect(await open(window, plus(minutes(10)))).toBe(false);
    expect(await open(window, plus(minutes(10) + 1))).toBe(true);
    expect(await open(window, plus(minutes(15)))).toBe(false);
  });

  test('counts one of ten connections that begin at once', async () => {
    const window = newWindow();
    const { fulfilled } = await outcomes(times(10, () => open(window, plus(0))));
    expect(fulfilled.filter(Boolean)).toHaveLength(1);
  });

  test('is each client’s, each file’s and each organization’s own', async () => {
    const window = newWindow();
    for (const other of [{}, { client: 'd' }, { fileId: newId() }, { organizationId: 'p' }]) {
      expect(await open({ ...window, ...other }, plus(0))).toBe(true);
    }
  });

  test('is completed once, and only where a download was counted', async () => {
    const window = newWindow();
    expect(await shut(window, plus(0))).toBe(false);
    await open(window, plus(0));
    expect(await shut(window, plus(1))).toBe(true);
    expect(await shut(window, plus(2))).toBe(false);
    await open(window, plus(minutes(11)));
    expect(await shut(window, plus(minutes(12)))).toBe(true);
  });

  test('is cleaned away a day later', async () => {
    const window = newWindow();
    await open(window, plus(0));
    await dropOldWindows(db, plus(hours(24)));
    expect(await shut(window, plus(1))).toBe(true);
    await dropOldWindows(db, plus(hours(24) + 1));
    expect(await shut(window, plus(1))).toBe(false);
  });
});

describe('an artifact', () => {
  test('is found by its file id, and nothing else is', async () => {
    const { row, fence } = await acceptAndStart(db, await createUser(db, await createOrganization(db)));
    await complete(db, fence, { sizeInBytes: 5_000_000_000 });
    const artifact = (await findArtifactsOf(db, [row.id])).get(row.id);
    expect(artifact?.size_in_bytes).toBe(5_000_000_000);
    expect(await getArtifact(db, artifact?.file_id ?? '')).toEqual(artifact);
    for (const wrong of [row.id, newId(), '../../etc/passwd', '', '%00']) {
      await expect(getArtifact(db, wrong)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('of no exports are none, without a question to the database', async () => {
    expect(await findArtifactsOf(db, [])).toEqual(new Map());
  });

  test('has a key of its own for every start, which storage takes, below the prefix of its export', () => {
    const start = { organizationId: 'org-1', exportId: newId(), epoch: 3, attempt: 2 };
    const key = artifactKey(start, 'jpeg');
    expect(key).toBe(`artifacts/org-1/${start.exportId}/3-2.jpg`);
    expect(key.startsWith(artifactPrefix('org-1', start.exportId))).toBe(true);
    expect(() => assertStorageKey(key)).not.toThrow();
    expect(artifactKey({ ...start, attempt: 3 }, 'jpeg')).not.toBe(key);
  });
});
