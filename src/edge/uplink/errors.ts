import { errorTable } from '../../kit/errors.ts';

export const uplinkErrors = errorTable({
  STORE_DIVERGED: {
    kind: 'refused',
    message: ({ node, holder }: { node: string; holder: string }) =>
      `the node name ${node} is claimed by another store (${holder}): a second instance, a cloned disk or a restored backup. ` +
      `Nothing is published from here; local work goes on. Stop the other one, or give this one another node name`,
  },
});
