import type { Logger } from '../log/log.ts';

export interface LastActs {
  /** Returns the function that takes it off again. */
  add(name: string, act: () => void): () => void;
}

/** What must happen even where a process ends without its stop: at a second signal, or at the deadline. Nothing can wait there. */
export const createLastActs = (log: Logger): LastActs => {
  const acts = new Map<() => void, string>();
  const runAll = () => {
    for (const [act, name] of acts) {
      try {
        act();
      } catch (error) {
        log.error({ handler: name, err: error }, `could not end ${name}`);
      }
    }
  };
  return {
    add: (name, act) => {
      if (acts.size === 0) process.on('exit', runAll);
      acts.set(act, name);
      return () => {
        acts.delete(act);
        if (acts.size === 0) process.off('exit', runAll);
      };
    },
  };
};
