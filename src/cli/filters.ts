import { filterProblem } from '../wire/topic-filters.ts';
import { cliErrors } from './errors.ts';

/** Topic filters with commas between them; an empty list for `none`. */
export function parseFilters(option: string, text: string): readonly string[] {
  if (text === 'none') return [];
  const filters = text.split(',').map((filter) => filter.trim());
  const wrong = filters.find((filter) => filterProblem(filter) !== undefined);
  if (wrong === undefined) return filters;
  const problem = `"${wrong}" ${filterProblem(wrong) ?? ''}`;
  throw cliErrors.OPTION_INVALID({
    option,
    value: text,
    expected: `topic filters such as +/user/#,alarms/#; ${problem}`,
  });
}
