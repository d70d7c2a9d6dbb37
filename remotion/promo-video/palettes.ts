import type { PromoVideoProps } from './schema.ts';

export type SceneColours = { ground: string; ink: string; shapes: readonly [string, string, string, string] };
export type PromoPalette = {
  scenes: readonly [SceneColours, SceneColours, SceneColours];
  outro: SceneColours;
};

export const PROMO_PALETTES: Record<PromoVideoProps['palette'], PromoPalette> = {
  signal: {
    scenes: [
      { ground: '#f3ece0', ink: '#15120e', shapes: ['#ff4d26', '#1a43c8', '#15120e', '#f7b733'] },
      { ground: '#ff4d26', ink: '#1a0a04', shapes: ['#f3ece0', '#1a0a04', '#f7b733', '#a81e07'] },
      { ground: '#1a43c8', ink: '#f8f2e6', shapes: ['#f3ece0', '#ff4d26', '#f7b733', '#0b1f6b'] },
    ],
    outro: { ground: '#15120e', ink: '#f8f2e6', shapes: ['#ff4d26', '#f7b733', '#f3ece0', '#3e63e6'] },
  },
  orchard: {
    scenes: [
      { ground: '#e6efc9', ink: '#12281c', shapes: ['#1f6b45', '#f08a8c', '#12281c', '#f4c542'] },
      { ground: '#1f6b45', ink: '#f6f7e4', shapes: ['#e6efc9', '#f08a8c', '#f4c542', '#0f4129'] },
      { ground: '#f6a6a1', ink: '#35100f', shapes: ['#fdf3e3', '#c43c3c', '#1f6b45', '#35100f'] },
    ],
    outro: { ground: '#12281c', ink: '#f6f7e4', shapes: ['#f08a8c', '#e6efc9', '#f4c542', '#3f9c6a'] },
  },
  midnight: {
    scenes: [
      { ground: '#14142b', ink: '#f4f0ff', shapes: ['#b9a7ff', '#ff6f61', '#f4f0ff', '#34346b'] },
      { ground: '#b9a7ff', ink: '#14142b', shapes: ['#14142b', '#f4f0ff', '#ff6f61', '#7a62e0'] },
      { ground: '#ff6f61', ink: '#2a0a0c', shapes: ['#14142b', '#ffe3d3', '#b9a7ff', '#b8322a'] },
    ],
    outro: { ground: '#0b0b1a', ink: '#f4f0ff', shapes: ['#b9a7ff', '#ff6f61', '#f4f0ff', '#5151b5'] },
  },
};
