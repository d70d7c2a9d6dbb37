import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Remotion passes these itself. `--no-proxy-server` beats every other flag, and a popup would outlive the render that opened it. */
const droppedFlags = [
  '--no-proxy-server',
  '--proxy-server=*',
  '--proxy-bypass-list=*',
  '--proxy-pac-url=*',
  '--proxy-auto-detect',
  '--disable-popup-blocking',
];

export const egressFlags = (options: { proxyPort: number; pageServerPort: number }): readonly string[] => [
  `--proxy-server=http://127.0.0.1:${options.proxyPort}`,
  // <-loopback> takes back the built-in exception of this machine's addresses, all but Remotion's own page server.
  `--proxy-bypass-list=<-loopback>;localhost:${options.pageServerPort};127.0.0.1:${options.pageServerPort}`,
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
  // A proxy of this kind carries no UDP: WebRTC and QUIC would go past it.
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--disable-quic',
  '--dns-prefetch-disable',
  '--disable-background-networking',
  // Remotion neither knows nor closes a window that a page opened: window.open() answers null.
  '--block-new-web-contents',
];

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** `exec`, so that the process which Remotion starts, watches and kills is the browser itself. */
export const wrapperScript = (browserExecutable: string, flags: readonly string[]): string =>
  [
    '#!/bin/sh',
    'for argument do',
    '  shift',
    '  case "$argument" in',
    `    ${droppedFlags.join('|')}) ;;`,
    '    *) set -- "$@" "$argument" ;;',
    '  esac',
    'done',
    `exec ${quote(browserExecutable)} "$@" ${flags.map(quote).join(' ')}`,
    '',
  ].join('\n');

/** Remotion has no option for these flags, but starts whatever executable it is given. */
export const writeBrowserWrapper = async (options: {
  directory: string;
  browserExecutable: string;
  proxyPort: number;
  pageServerPort: number;
}): Promise<string> => {
  const path = join(options.directory, 'guarded-browser');
  await writeFile(path, wrapperScript(options.browserExecutable, egressFlags(options)));
  await chmod(path, 0o755);
  return path;
};
