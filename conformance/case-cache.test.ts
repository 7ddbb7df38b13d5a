import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { CaseCache } from './case-cache.js';
import { caseSources, loadCases, parseCase } from './cases.js';

test('cases that were read once', (t) => {
  const [source = { file: '', text: '' }] = caseSources();
  const { cases } = parseCase(source);
  const place = join(t.testdir({}), 'deep', 'down', 'cases.json');
  const first = new CaseCache(place);
  first.put(source.file, source.text, cases);
  first.save();

  t.test('are the same as from the file', (t) => {
    t.strictSame(new CaseCache(place).get(source.file, source.text), cases);
    t.same(readdirSync(dirname(place)), ['cases.json'], 'and nothing else is left');
    const fresh = caseSources().map(parseCase);
    t.strictSame(
      loadCases().cases,
      fresh.flatMap((each) => each.cases),
      'all of them',
    );
    t.end();
  });

  t.test('are not known of another text, another file, or what another version of the kit made of them', (t) => {
    t.equal(new CaseCache(place).get(source.file, `${source.text}\n`), undefined);
    t.equal(new CaseCache(place).get('other/file.yaml', source.text), undefined);
    const older = join(t.testdir({}), 'older.json');
    writeFileSync(older, readFileSync(place, 'utf8').replace(/"version":"\w/, '"version":"-'));
    t.equal(new CaseCache(older).get(source.file, source.text), undefined);
    t.end();
  });

  t.test('are not kept where JSON cannot say them, nor where nothing can be written', (t) => {
    const cache = new CaseCache(place);
    const odd = cases.map((of) => ({ ...of, line: Number.NaN }));
    cache.put('odd.yaml', '', odd);
    t.equal(cache.get('odd.yaml', ''), undefined);
    for (const nowhere of [undefined, join(place, 'below', 'a-file.json')]) {
      const lost = new CaseCache(nowhere);
      lost.put(source.file, source.text, cases);
      t.doesNotThrow(() => lost.save());
      t.equal(new CaseCache(nowhere).get(source.file, source.text), undefined);
    }
    const broken = join(t.testdir({ 'broken.json': '{"version"' }), 'broken.json');
    t.equal(new CaseCache(broken).get(source.file, source.text), undefined);
    t.ok(existsSync(broken));
    t.end();
  });
  t.end();
});
