/**
 * Files that name other files. Remotion's decoders would open what they name, past every other check: a file of another
 * organization as well as an address that nobody permitted.
 */

/** Public, and what the advice in an error message is chosen by. */
export const playlistReason = 'a playlist names other files, which are never opened';

const endings = /\.(?:m3u8?|mpd|ffconcat|ffcat|concat|sdp|pls|asx|xspf|ism|smil|wpl)$/i;

const mediaTypes = /mpegurl|dash\+xml|ffconcat|application\/sdp|scpls|xspf/i;

/** The decoders look for these wherever the file begins, behind a tag of any length too. */
const marks = ['#EXTM3U', 'ffconcat version', 'dash:profile:', '\nc=IN IP'];

/** As far as the decoders look (PROBE_BUF_MAX of libavformat). */
export const probedBytes = 1024 * 1024;

const decodeOnce = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** `x.m3u%2538` is `x.m3u8` to whoever decodes twice. */
const decodeFully = (text: string): string => {
  const decoded = decodeOnce(text);
  return decoded === text ? text : decodeFully(decoded);
};

export const isPlaylistName = (path: string): boolean =>
  endings.test(decodeFully(path.replace(/[?#].*$/s, '')).replace(/[\s./\\"']+$/, ''));

export const isPlaylistContent = (head: Buffer): boolean =>
  marks.some((mark) => head.subarray(0, probedBytes).includes(mark));

/** As Remotion decodes it: `data:[type];[encoding],[data]`. */
export const isPlaylistData = (url: string): boolean => {
  const [details = '', data = ''] = url.slice('data:'.length).split(',');
  const [type = '', encoding = ''] = details.split(';');
  const content = Buffer.isEncoding(encoding) ? Buffer.from(data, encoding) : Buffer.from(decodeOnce(data));
  return mediaTypes.test(type) || isPlaylistContent(content);
};
