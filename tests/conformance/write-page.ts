import { writeFile } from 'node:fs/promises';
import { conformancePage, PAGE } from './page.ts';

await writeFile(PAGE, await conformancePage());
