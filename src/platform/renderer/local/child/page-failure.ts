import { NoReactInternals } from 'remotion/no-react';
import type { StillsPageError } from '../../bundle/entry/protocol.ts';

interface StackFrame {
  readonly fileName: string;
  readonly functionName: string | null;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const chromeFrame = /^\s*at (?:(.+?) \()?(\S+?):(\d+):(\d+)\)?$/;

const parseFrames = (stack: string): readonly StackFrame[] =>
  stack
    .split('\n')
    .map((line) => chromeFrame.exec(line))
    .filter((match) => match !== null)
    .map(([, functionName, fileName = '', line, column]) => ({
      fileName,
      functionName: functionName ?? null,
      lineNumber: Number(line),
      columnNumber: Number(column),
    }));

/** An error of the page as Remotion would have brought it over, with the fields that `classifyRenderError` and `findThrownAt` read. */
export class PageFailure extends Error {
  readonly stackFrame: readonly StackFrame[];
  readonly delayRenderCall: readonly StackFrame[] | null;

  constructor({ name, message, stack }: StillsPageError) {
    const [said = '', calledAt] = message.split(NoReactInternals.DELAY_RENDER_CALLSTACK_TOKEN);
    super(said);
    this.name = name;
    this.stack = stack;
    this.stackFrame = parseFrames(stack);
    this.delayRenderCall = calledAt === undefined ? null : parseFrames(calledAt);
  }
}
