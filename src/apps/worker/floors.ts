/** Below which disk and memory a worker takes no new work. */
import type { Config } from '../../platform/config/config.ts';
import { freeMemoryBytes } from '../../platform/machine/free-memory.ts';
import { freeBytes } from '../../platform/storage/disk-space.ts';

/** Bytes. */
export interface FreeSpace {
  readonly disk: number;
  readonly memory: number;
}

/** What there is too little of; null: of neither. Without disk nothing can be rendered at all, so it is named first. */
export type Shortage = 'disk' | 'memory' | null;

/** Once below a floor, there must be a little more than that: else every render that ends would let one in that pauses it again. */
const resumeFactor = 1.2;

export const shortageOf = (free: FreeSpace, floors: FreeSpace, before: Shortage): Shortage => {
  const isShort = (what: 'disk' | 'memory'): boolean =>
    free[what] < floors[what] * (before === what ? resumeFactor : 1);
  if (isShort('disk')) return 'disk';
  return isShort('memory') ? 'memory' : null;
};

const megabyte = 1024 * 1024;

export const floorsOf = ({ MIN_FREE_DISK_MB, MIN_FREE_MEMORY_MB }: Config): FreeSpace => ({
  disk: MIN_FREE_DISK_MB * megabyte,
  memory: MIN_FREE_MEMORY_MB * megabyte,
});

export const measureFree = async ({ home, storageDirectory }: Config): Promise<FreeSpace> => ({
  disk: Math.min(await freeBytes(home), await freeBytes(storageDirectory)),
  memory: await freeMemoryBytes(),
});

export const inMegabytes = ({ disk, memory }: FreeSpace) => ({
  diskMb: Math.floor(disk / megabyte),
  memoryMb: Math.floor(memory / megabyte),
});
