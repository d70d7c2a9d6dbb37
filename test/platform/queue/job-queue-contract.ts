import { describeFailures } from './contract/describe-failures.ts';
import { describeJobs } from './contract/describe-jobs.ts';
import { describeOutages } from './contract/describe-outages.ts';
import { describeWorkers } from './contract/describe-workers.ts';
import { openQueueBench, type QueueServer } from './contract/queue-bench.ts';

/** What both backends promise. */
export const describeJobQueue = (startServer: () => Promise<QueueServer>): void => {
  const bench = openQueueBench(startServer);
  describeJobs(bench);
  describeFailures(bench);
  describeWorkers(bench);
  describeOutages(bench);
};
