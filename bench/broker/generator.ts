// The load generator, a process of its own: takes jobs from its parent, answers each with what it measured.
import { runJob, type Job } from './job.ts';

process.on('message', (job: Job) => {
  void runJob(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
