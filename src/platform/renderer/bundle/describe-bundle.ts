import { type AddressInfo, createServer } from 'node:net';
import { openBrowser, selectComposition } from '@remotion/renderer';
import { type EgressGuard, startEgressGuard } from '../egress/guard.ts';
import { bundleFailed } from './bundle-failed.ts';
import {
  type CompositionDescription,
  describeCompositionId,
  type PageDescription,
} from './entry/protocol.ts';
import { explainMetadataError, explainPageError } from './explain-failure.ts';
import { locateInSource } from './locate-in-source.ts';

export interface DescribeOptions {
  readonly bundlePath: string;
  readonly browserExecutable: string;
  readonly allowedHosts: readonly string[];
  /** Private; for temporary files. */
  readonly directory: string;
}

const findFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Remotion waits this long for the page; more than all calculateMetadata calls of an ordinary project need. */
const pageTimeoutMs = 60_000;

const askPage = async (
  bundlePath: string,
  browserExecutable: string,
  port: number,
): Promise<readonly PageDescription[]> => {
  const browser = await openBrowser('chrome', { browserExecutable, logLevel: 'error' });
  try {
    const { props } = await selectComposition({
      serveUrl: bundlePath,
      id: describeCompositionId,
      inputProps: { isAsked: true },
      puppeteerInstance: browser,
      port,
      timeoutInMilliseconds: pageTimeoutMs,
      logLevel: 'error',
    });
    return props.compositions as PageDescription[];
  } finally {
    await browser.close({ silent: true });
  }
};

const accept = (description: PageDescription, guard: EgressGuard): CompositionDescription => {
  const { metadataError, ...composition } = description;
  if (metadataError === null) return composition;
  throw bundleFailed(explainMetadataError(composition.id, metadataError, guard.takeBlocked()));
};

/** Runs the project's code, in a browser only, behind the guard, to learn which compositions there are. */
export const describeBundle = async (
  options: DescribeOptions,
): Promise<readonly CompositionDescription[]> => {
  const pageServerPort = await findFreePort();
  const guard = await startEgressGuard({ ...options, pageServerPort });
  try {
    const descriptions = await askPage(options.bundlePath, guard.browserExecutable, pageServerPort).catch(
      async (cause: Error) => {
        const place = await locateInSource(cause, options.bundlePath);
        throw bundleFailed(explainPageError(cause.message, place, guard.takeBlocked()), { cause });
      },
    );
    if (descriptions.length === 0) throw bundleFailed('The project registers no <Composition>.');
    return descriptions.map((description) => accept(description, guard));
  } finally {
    await guard.close();
  }
};
