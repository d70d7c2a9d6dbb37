import { registerRoot } from 'remotion';
import { Root } from './root.ts';

registerRoot(Root);
