/** `npm run gen`: renders the C header, the schema hash and docs/FORMAT.md from builder/format/schema.ts. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {generated, staleFiles} from './generated.js';

const stale = staleFiles();
for (const [path, content] of generated()) {
	if (!stale.includes(path)) continue;
	mkdirSync(dirname(path), {recursive: true});
	writeFileSync(path, content);
	console.error(`rendered ${path}`);
}
