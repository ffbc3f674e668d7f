import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readImage, type ImageFacts } from '../../lib/image';
import { packageRoot } from '../shared/package-root';
import { digestOf, esptoolCases, esptoolImage, type EsptoolAnswer, type EsptoolFixtures } from './esptool/cases';

const file = join(packageRoot(), 'test', 'image', 'esptool', 'fixtures.json');
const { esptool, fixtures } = JSON.parse(readFileSync(file, 'utf8')) as EsptoolFixtures;

describe(`image: esptool ${esptool} agrees`, () => {
  it('was asked about 30 images and more: both versions, sound and broken', () => {
    assert(fixtures.length >= 30, `${fixtures.length} images`);
    assert.deepEqual(
      fixtures.map((fixture) => fixture.case),
      esptoolCases(),
      'fixtures.json is of other cases: make it anew (test/image/esptool/make.ts)',
    );
    for (const version of [1, 2]) {
      for (const valid of [true, false]) {
        const some = fixtures.some(({ answer }) => answer.version === version && answer.checksum.valid === valid);
        assert(some, `version ${version}, checksum ${valid ? 'valid' : 'wrong'}`);
      }
    }
  });

  for (const { case: one, sha256, answer } of fixtures) {
    const { segments = 2, flashMode = 'DOUT', flashSize = '1MB' } = one.options;
    it(`on ${one.kind} with ${segments} segments, ${flashMode} ${flashSize}${one.broken ? `, ${one.broken} broken` : ''}`, () => {
      const image = esptoolImage(one);
      assert.equal(digestOf(image), sha256, 'the writer makes another image of these options than it did');
      assert.deepEqual(inItsWords(readImage(image)), answer);
    });
  }
});

/** Our facts as esptool tells them: of a file with eboot it reads the image at 0 alone, and irom is a segment. */
function inItsWords(facts: ImageFacts): EsptoolAnswer {
  const part = facts.parts[0];
  assert(part);
  const { stored, valid, computed } = part.checksum;
  const irom = facts.kind === 'user' && facts.irom ? [{ ...facts.irom, address: 0 }] : [];
  return {
    version: facts.version,
    entry: part.entry,
    flashMode: facts.flashMode ?? '',
    flashSize: facts.flashSize ?? '',
    flashFrequency: facts.flashFrequency ?? 0,
    segments: [...irom, ...part.segments].map(({ length, address, offset }) => ({ length, address, offset })),
    checksum: { stored, valid, computed },
  };
}
