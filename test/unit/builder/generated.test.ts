import test from 'ava';
import {staleFiles} from '../../../scripts/generated.js';

test('the generated header, hash and FORMAT.md are what the schema says', (t) => {
	t.deepEqual(staleFiles(), [], 'run `npm run gen` and commit the result');
});
