import { type ReactNode, useEffect, useLayoutEffect, useState } from 'react';
import { useDelayRender } from 'remotion';
import { loadFontsFor } from './fonts.ts';

/** Shows its children once the fonts that `text` needs are there, and holds the render until then. */
export function FontGate({ text, children }: { text: string; children: ReactNode }) {
  const { delayRender, continueRender, cancelRender } = useDelayRender();
  const [handle] = useState(() => delayRender('Loading the fonts of this composition'));
  const [readyFor, setReadyFor] = useState<string | null>(null);
  const ready = readyFor === text;

  useEffect(() => {
    let current = true;
    loadFontsFor(text).then(() => current && setReadyFor(text), cancelRender);
    return () => {
      current = false;
    };
  }, [text, cancelRender]);

  useLayoutEffect(() => {
    if (ready) continueRender(handle);
  }, [ready, handle, continueRender]);

  return ready ? children : null;
}
