import { expect, it } from 'vitest';
import { refuseMediaSource } from '../../../../src/platform/renderer/egress/page-server-guard.ts';
import { isPlaylistContent, playlistReason } from '../../../../src/platform/renderer/egress/playlists.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

it.each([
  'http://localhost:20000/public/x.m3u8',
  'http://localhost:20000/public/x.M3U8?v=1#t',
  'http://localhost:20000/public/x.m3u%38',
  'http://localhost:20000/public/x.m3u%2538',
  'http://localhost:20000/public/x.mpd/',
  'https://cdn.example.com/list.ffconcat',
  `data:video/mp4;base64,${base64('#EXTM3U')}`,
  `data:video/mp4;hex,${Buffer.from('ffconcat version 1.0').toString('hex')}`,
  'DATA:application/vnd.apple.mpegurl;base64,',
])('%s is refused as a playlist', (source) => {
  expect(refuseMediaSource(source)).toBe(playlistReason);
});

it.each([
  'http://localhost:20000/public/film.mp4?list=x.m3u8',
  'https://cdn.example.com/m3u8/film.webm',
  `data:audio/wav;base64,${base64('RIFF')}`,
  'http://localhost:20000/public/100%.mp4',
])('%s is not', (source) => {
  expect(refuseMediaSource(source)).toBeNull();
});

it('recognises a playlist behind a tag', () => {
  expect(
    isPlaylistContent(Buffer.concat([Buffer.from('ID3'), Buffer.alloc(60_000), Buffer.from('#EXTM3U')])),
  ).toBe(true);
});
