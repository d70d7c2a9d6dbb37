/** What a hostile tenant would deploy. The width of a composition tells the test what it found, plus 100. */
import { Composition, OffthreadVideo, registerRoot, staticFile } from 'remotion';

const settleMs = 300;

/** Windows that it was given. With noopener none is ever given; whether there is one, only the browser knows. */
const openWindows = async () => {
  const url = URL.createObjectURL(new Blob(['<p>still here</p>'], { type: 'text/html' }));
  const given = [window.open(url), window.open(url, '_blank', 'noopener')].filter(Boolean);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  return { width: 100 + given.length };
};

const traces = async () => [
  localStorage.getItem('trace') !== null,
  document.cookie.includes('trace'),
  (await navigator.serviceWorker.getRegistrations()).length > 0,
  (await caches.keys()).length > 0,
  (await Array.fromAsync((await navigator.storage.getDirectory()).keys())).length > 0,
];

const leaveTraces = async () => {
  localStorage.setItem('trace', 'here');
  // biome-ignore lint/suspicious/noDocumentCookie: the one kind of cookie that every origin can set
  document.cookie = 'trace=here; max-age=3600';
  await caches.open('trace');
  await (await navigator.storage.getDirectory()).getFileHandle('trace', { create: true });
  const { installing } = await navigator.serviceWorker.register(staticFile('worker.js'));
  if (installing === null) return;
  await new Promise((resolve) => {
    installing.onstatechange = () => installing.state === 'activated' && resolve();
  });
};

const countTraces = async () => {
  const found = (await traces()).filter(Boolean).length;
  await leaveTraces();
  return { width: 100 + found };
};

/** Once in the page, twice: what it left itself must be there, or the traces prove nothing. */
const countOwnTraces = async () => {
  await leaveTraces();
  return { width: 100 + (await traces()).filter(Boolean).length };
};

const Nothing = () => null;
const Media = ({ src = '' }) => (
  <OffthreadVideo src={src.startsWith('data:') ? src : staticFile(src)} muted />
);

const size = { width: 64, height: 64, fps: 30, durationInFrames: 1 };

registerRoot(() => (
  <>
    <Composition id="windows" component={Nothing} calculateMetadata={openWindows} {...size} />
    <Composition id="traces" component={Nothing} calculateMetadata={countTraces} {...size} />
    <Composition id="own-traces" component={Nothing} calculateMetadata={countOwnTraces} {...size} />
    <Composition id="film" component={Nothing} {...size} durationInFrames={10} />
    <Composition id="media" component={Media} {...size} />
  </>
));
