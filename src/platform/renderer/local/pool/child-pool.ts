import { RendermillError } from '../../../../core/errors.ts';
import type { Logger } from '../../../log/log.ts';
import { chooseSlot, isSameTenant, type Tenant } from './choose-slot.ts';
import { type RenderChild, startRenderChild } from './render-child.ts';
import { createSpareChild } from './spare-child.ts';

export interface Lease {
  readonly child: RenderChild;
  /** `keep` the child warm for its tenant, or end it. Returns when that is done; the slot is free from then on. */
  release(fate: 'keep' | 'end'): Promise<void>;
}

export interface ChildPool {
  /** Waits for a free slot, in the order of the calls. */
  acquire(tenant: Tenant, signal: AbortSignal): Promise<Lease>;
  /** Ends the idle children, and with them their temporary folders. */
  trim(): Promise<void>;
  /** Ends the idle children and waits until the leased ones are released, for which their renders must be aborted. */
  close(): Promise<void>;
}

interface Slot {
  child: RenderChild | null;
  tenant: Tenant | null;
  busy: boolean;
  usedMs: number;
}

interface PoolOptions {
  readonly workDirectory: string;
  readonly slots: number;
  readonly recycleAfterRenders: number;
  readonly log: Logger;
}

export const createChildPool = (options: PoolOptions): ChildPool => {
  const spare = createSpareChild(() => startRenderChild(options.workDirectory, options.log));
  const slots: Slot[] = Array.from({ length: options.slots }, () => ({
    child: null,
    tenant: null,
    busy: false,
    usedMs: 0,
  }));
  const waiters: (() => void)[] = [];
  let closed = false;

  const empty = async (slot: Slot, manner: 'politely' | 'at once'): Promise<void> => {
    await slot.child?.retire(manner);
    slot.child = null;
    slot.tenant = null;
  };

  const nextFree = (signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      waiters.push(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });

  const free = (slot: Slot): void => {
    slot.busy = false;
    slot.usedMs = performance.now();
    for (const wake of waiters.splice(0)) wake();
    if (!closed && slots.every(({ busy }) => !busy)) spare.refill();
  };

  /** The slot is the caller's from the moment that it was found, before anything is awaited. */
  const claimSlot = async (tenant: Tenant, signal: AbortSignal): Promise<Slot> => {
    for (;;) {
      if (signal.aborted) throw new RendermillError('render_canceled');
      const index = chooseSlot(slots, tenant);
      const slot = index === null ? undefined : slots[index];
      if (slot !== undefined) {
        slot.busy = true;
        return slot;
      }
      await nextFree(signal);
    }
  };

  const fill = async (slot: Slot, tenant: Tenant): Promise<RenderChild> => {
    if (slot.child !== null && isSameTenant(slot.tenant, tenant) && (await slot.child.isHealthy())) {
      return slot.child;
    }
    await empty(slot, 'politely');
    if (closed) throw new RendermillError('shutting_down');
    slot.tenant = { organizationId: tenant.organizationId, bundlePath: tenant.bundlePath };
    slot.child = await spare.take();
    return slot.child;
  };

  const release = async (slot: Slot, fate: 'keep' | 'end'): Promise<void> => {
    const isWornOut = (slot.child?.renders ?? 0) >= options.recycleAfterRenders;
    if (fate === 'end') await empty(slot, 'at once');
    else if (isWornOut || closed) await empty(slot, 'politely');
    free(slot);
  };

  /** Busy meanwhile, so that nobody is given a child that is ending. */
  const trimSlot = async (slot: Slot): Promise<void> => {
    slot.busy = true;
    await empty(slot, 'politely');
    free(slot);
  };

  spare.refill();
  return {
    acquire: async (tenant, signal) => {
      const slot = await claimSlot(tenant, signal);
      try {
        return { child: await fill(slot, tenant), release: (fate) => release(slot, fate) };
      } catch (error) {
        await empty(slot, 'at once');
        free(slot);
        throw error;
      }
    },
    trim: async () => {
      const idle = slots.filter(({ child, busy }) => child !== null && !busy);
      await Promise.all(idle.map(trimSlot));
    },
    close: async () => {
      closed = true;
      await spare.end();
      await Promise.all(slots.filter(({ busy }) => !busy).map((slot) => empty(slot, 'politely')));
      while (slots.some(({ busy }) => busy)) await nextFree();
    },
  };
};
