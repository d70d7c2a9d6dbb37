import { describe } from 'vitest';
import { canSandbox } from './can-sandbox.ts';

/**
 * A suite that needs the real function. Where no sandbox may be made it is skipped, with the reason in its title and on the console:
 * running it unprotected would empty the machine's /tmp. For the top level of a test file (it awaits).
 */
export const describeSandboxed = async (title: string, suite: () => void): Promise<void> => {
  const answer = await canSandbox();
  if (answer.allowed) {
    describe(title, suite);
    return;
  }
  console.warn(`\nNOT RUN: ${title}\nNo sandbox may be made here: ${answer.reason}\n`);
  describe.skip(`${title} — no sandbox may be made here: ${answer.reason}`, suite);
};
