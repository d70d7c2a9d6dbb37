import { RendermillError } from '../../../core/errors.ts';
import { isSiteGone } from './errors/classify-lambda-error.ts';
import { failureOf } from './errors/failure.ts';
import { explain } from './explain.ts';
import type { Site, SiteOrder } from './site/site-store.ts';
import type { Workplace } from './workplace.ts';

/**
 * Has a function work with the bundle's site. Where the site turns out to be gone (somebody removed it), it is uploaded and tried once
 * again. Rejects with a RendermillError.
 */
export const atSite = async <T>(
  workplace: Workplace,
  order: SiteOrder,
  work: (site: Site) => Promise<T>,
): Promise<T> => {
  const attempt = async (isLast: boolean): Promise<T> => {
    let site: Site | undefined;
    try {
      site = await workplace.sites.ensure(order);
      return await work(site);
    } catch (error) {
      if (error instanceof RendermillError) throw error;
      const failure = failureOf(error);
      if (site !== undefined && !isLast && isSiteGone(failure)) {
        workplace.settings.log.warn({ site: site.name }, 'site is gone, uploading it again');
        workplace.sites.forget(site);
        return attempt(true);
      }
      throw await explain(workplace, failure, {
        ...(site === undefined ? {} : { siteAddress: site.address }),
        bundlePath: order.bundlePath,
      });
    }
  };
  return attempt(false);
};
