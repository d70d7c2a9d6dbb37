import { describe, expect, it } from 'vitest';
import { RendermillError } from '../../../../src/core/errors.ts';
import { classifyRenderError } from '../../../../src/platform/renderer/local/child/classify-error.ts';
import { assetName, publicText } from '../../../../src/platform/renderer/local/child/public-text.ts';

const fromPage = (message: string, name = 'Error'): Error =>
  Object.assign(new Error(message), { name, stackFrame: [] });

const page = 'http://localhost:23456';

describe('an error of Remotion becomes a code and a message that a tenant understands', () => {
  it.each<[string, Error, string, string]>([
    [
      'a thrown error',
      fromPage('The price is missing', 'TypeError'),
      'composition_error',
      'The composition threw an error: TypeError: The price is missing',
    ],
    [
      'delayRender with a label',
      fromPage(
        'A delayRender() "loading prices" was called but not cleared after 28000ms. See https://remotion.dev/docs/timeout',
      ),
      'delay_render_timeout',
      'delayRender("loading prices") was called, but no continueRender() followed within 28 seconds.',
    ],
    [
      'delayRender without a label',
      fromPage('A delayRender() was called but not cleared after 5000ms.'),
      'delay_render_timeout',
      'delayRender() was called, but no continueRender() followed within 5 seconds.',
    ],
    [
      'a missing image of the project',
      fromPage(`Error: Error loading image with src: ${page}/public/logo.png`, 'CancelledError'),
      'asset_missing',
      'public/logo.png could not be loaded. Check that the file is part of the project or that the address answers.',
    ],
    [
      'a missing image of the web, without its signature',
      fromPage('Error loading image with src: https://cdn.example.com/logo.png?token=secret'),
      'asset_missing',
      'https://cdn.example.com/logo.png could not be loaded. Check that the file is part of the project or that the address answers.',
    ],
    [
      'a missing video',
      fromPage(
        `Received a status code of 404 while downloading file ${page}/public/clip.mp4.\nThe response body was:\n{"message":"/srv/x"}`,
      ),
      'asset_missing',
      'public/clip.mp4 could not be loaded. Check that the file is part of the project or that the address answers.',
    ],
    [
      'a missing font',
      fromPage('Failed to load font "/public/brand.woff2": 404 Not Found'),
      'asset_missing',
      'public/brand.woff2 could not be loaded. Check that the file is part of the project or that the address answers.',
    ],
    [
      'an unknown composition',
      fromPage('Error: Could not find composition with ID nope. Available compositions: picture, tone'),
      'composition_not_found',
      'There is no composition "nope" in this project. Available: picture, tone.',
    ],
    ['a full disk', new Error('ENOSPC: no space left on device, write'), 'disk_full', 'The disk is full.'],
    ['a crashed page', new Error('Page crashed!'), 'browser_lost', 'The browser was lost during the render.'],
    [
      'a closed target',
      new Error(
        'Protocol error (Target.createTarget): Target closed. https://www.remotion.dev/docs/target-closed',
      ),
      'browser_lost',
      'The browser was lost during the render.',
    ],
    [
      'a killed encoder',
      new Error(
        'FFmpeg quit with code 1 (signal SIGKILL) while piping frame 10. Stderr: ffmpeg version n7.1',
      ),
      'render_crashed',
      'FFmpeg ended unexpectedly during the render.',
    ],
    [
      'a killed compositor',
      new Error('Compositor quit with signal SIGKILL: '),
      'render_crashed',
      'Compositor ended unexpectedly during the render.',
    ],
    [
      'a cancelled render',
      new Error('renderMedia() got cancelled'),
      'render_canceled',
      'The export was canceled.',
    ],
    [
      'a deaf page',
      new Error('waiting for the page to render the React component failed: timeout 33000ms exceeded'),
      'render_stalled',
      'The browser stopped answering. An overloaded machine or an endless loop in the composition looks like this.',
    ],
    [
      'anything else',
      new Error('You specified port 23456'),
      'render_failed',
      'The render failed for a reason that was not recognised.',
    ],
  ])('%s', (_, error, code, message) => {
    const classified = classifyRenderError(error);
    expect([classified.code, classified.message]).toEqual([code, message]);
    expect(classified.cause).toBe(error);
  });

  it('names the line of the tenant that threw', () => {
    const { message } = classifyRenderError(fromPage('boom'), { thrownAt: './src/price.tsx:12' });
    expect(message).toBe('The composition threw an error: boom (at ./src/price.tsx:12)');
  });

  it('names the refused host, whatever failed because of it', () => {
    const blocked = [{ url: 'https://tracker.example/p.gif', reason: 'not on the list' }];
    const classified = classifyRenderError(fromPage('Failed to fetch', 'TypeError'), { blocked });
    expect(classified.code).toBe('network_blocked');
    expect(classified.details).toMatchObject({ host: 'tracker.example', failure: 'Failed to fetch' });
  });

  it('blames the composition for a deaf page in a browser that answers, and does not try again', () => {
    const error = new Error('Timeout (33000ms) exceeded rendering the component at frame 3.');
    const classified = classifyRenderError(error, { browserAnswers: true });
    expect([classified.code, classified.retryable]).toEqual(['composition_error', false]);
    expect(classifyRenderError(error).retryable).toBe(true);
  });

  it.each(['file:///etc/passwd', '/etc/passwd'])('says of %s where files belong', (url) => {
    const blocked = [{ url, reason: 'files of the machine are not permitted' }];
    expect(classifyRenderError(fromPage('x'), { blocked }).message).toContain(
      'permitted: files of the machine are not permitted. Files of the machine are never loaded: put the file into public/',
    );
  });

  it('does not blame a refused request for a lost browser', () => {
    const blocked = [{ url: 'https://tracker.example/p.gif', reason: 'not on the list' }];
    expect(classifyRenderError(new Error('Page crashed!'), { blocked }).code).toBe('browser_lost');
  });

  it('asks the log of the browser when the page does not say what is missing', () => {
    const failedUrls = [`${page}/public/data.json`];
    const classified = classifyRenderError(fromPage('Failed to fetch', 'TypeError'), { failedUrls });
    expect(classified.details).toEqual({ src: 'public/data.json' });
  });

  it('leaves our own errors as they are', () => {
    const own = new RendermillError('frame_out_of_range');
    expect(classifyRenderError(own)).toBe(own);
  });
});

it.each([
  ['Cannot read /srv/work/child-1/x/file.json', 'Cannot read file.json'],
  ['at file:///srv/app/index.mjs:10', 'at index.mjs:10'],
  ['GET https://cdn.example.com/a/b.png failed', 'GET https://cdn.example.com/a/b.png failed'],
  ['Error: one\n    at two', 'one'],
])('keeps the folders of this machine out of %j', (text, expected) => {
  expect(publicText(text)).toBe(expected);
});

it('sees through the address by which the page asks for a frame of a video', () => {
  const src = `${page}/proxy?src=${encodeURIComponent(`${page}/public/clip.mp4`)}&time=0.1`;
  expect(assetName(src)).toBe('public/clip.mp4');
});
