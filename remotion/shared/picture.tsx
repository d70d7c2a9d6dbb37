import type { CSSProperties } from 'react';
import { Img, staticFile } from 'remotion';
import { isRemotePicture } from './picture-source.ts';

/** Someone's own image, filling its parent. The render waits for it. */
export function Picture({ source, style }: { source: string; style?: CSSProperties }) {
  const src = isRemotePicture(source) ? source : staticFile(source);
  return (
    <Img
      src={src}
      style={{ width: '100%', height: '100%', objectFit: 'cover', display: 'block', ...style }}
    />
  );
}
