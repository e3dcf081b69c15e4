/** `npm run golden`: writes the golden artefact of the present format anew. For a change of the format that is meant. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {goldenArtefact, goldenPath} from '../test/helpers/golden.js';

mkdirSync(dirname(goldenPath), {recursive: true});
writeFileSync(goldenPath, await goldenArtefact());
console.error(`wrote ${goldenPath}`);
