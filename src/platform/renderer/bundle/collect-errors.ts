import { stripVTControlCharacters } from 'node:util';
import type { BundlerOverrideFn } from '@remotion/bundler';

export interface CompileError {
  /** As the bundler names the file; null when it belongs to none. */
  readonly file: string | null;
  readonly text: string;
}

interface Stats {
  toJson(options: object): { errors?: readonly { message: string; moduleName?: string }[] };
}

interface Compiler {
  readonly hooks: { readonly done: { tap(name: string, listener: (stats: Stats) => void): void } };
}

const readErrors = (stats: Stats): readonly CompileError[] =>
  (stats.toJson({ all: false, errors: true }).errors ?? []).map(({ message, moduleName }) => ({
    file: moduleName ?? null,
    text: stripVTControlCharacters(message).trim(),
  }));

/** Remotion throws the first error only, and without the name of its file. */
export const collectErrors = (into: CompileError[]): BundlerOverrideFn => {
  const plugin = {
    apply: (compiler: Compiler) =>
      compiler.hooks.done.tap('errors', (stats) => void into.push(...readErrors(stats))),
  };
  return (config) => ({ ...config, plugins: [...(config.plugins ?? []), plugin as never] });
};
