import { findLeftRenders, forgetLeftRender, type LeftRender } from '../../domain/exports/remote-render.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { RemoteRenderer } from '../../platform/renderer/contract.ts';

export interface EndLeftRendersDeps {
  readonly db: Database;
  readonly log: Logger;
  readonly renderer: Pick<RemoteRenderer, 'discard'>;
}

const atOnce = 100;

/**
 * Ends what goes on at AWS for exports that have ended, or are the workers' by now: nobody would take its file. May be done by several at
 * once, and twice; what fails is tried again at the next look. Returns how many it ended.
 */
export const endLeftRenders = async (deps: EndLeftRendersDeps): Promise<number> => {
  let ended = 0;
  let left: readonly LeftRender[] = [];
  do {
    left = await findLeftRenders(deps.db, left.at(-1)?.exportId ?? null, atOnce);
    for (const one of left) if (await end(deps, one)) ended += 1;
  } while (left.length === atOnce);
  if (ended > 0)
    deps.log.info({ renders: ended }, 'renders at AWS that nobody waits for any more were ended');
  return ended;
};

const end = async ({ db, log, renderer }: EndLeftRendersDeps, left: LeftRender): Promise<boolean> => {
  try {
    await renderer.discard(left.remote);
    await forgetLeftRender(db, left);
    return true;
  } catch (err) {
    log.warn(
      { err, exportId: left.exportId, renderId: left.remote.renderId },
      'a render at AWS that nobody waits for could not be ended; it is tried again',
    );
    return false;
  }
};
