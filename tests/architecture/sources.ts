import { existsSync, readdirSync } from 'node:fs';

/** All TypeScript files under these folders; folders that do not exist hold none. */
export function sources(folders: readonly string[]): readonly string[] {
  return folders.filter((folder) => existsSync(folder)).flatMap(sourcesIn);
}

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesIn(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

/** Folders directly below; hidden ones are left out. */
export function foldersIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}
