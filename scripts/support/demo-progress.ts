export const bar = (percent: number): string => {
  const filled = Math.round(percent / 4);
  return `${'█'.repeat(filled)}${'░'.repeat(25 - filled)} ${Math.floor(percent).toString().padStart(3)} %`;
};

export interface ProgressLine {
  show(text: string, percent: number): void;
  end(text: string): void;
}

/** A moving line on a terminal; elsewhere a line for the end, and for each quarter before it. */
export const createProgressLine = (title: string): ProgressLine => {
  let quarter = 0;
  const print = (text: string, done: boolean) => {
    const line = `  ${title.padEnd(30)} ${text}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}${done ? '\n' : ''}`);
    else console.log(line);
  };
  return {
    show: (text, percent) => {
      const reached = Math.floor(percent / 25);
      const isNews = reached > quarter && percent < 100;
      quarter = Math.max(quarter, reached);
      if (process.stdout.isTTY || isNews) print(text, false);
    },
    end: (text) => print(text, true),
  };
};
