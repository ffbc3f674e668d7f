import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Ajv2020, { type AnySchema } from 'ajv/dist/2020';
import { Catalog, CATALOG_FILE, hintsOf, type CatalogImage } from '../../lib/firmware/library/catalog';
import { FINAL_LIMIT, USER_LIMIT } from '../../lib/image';

describe('flash/catalog', () => {
  const catalog = Catalog.ofPackage();
  const schema = JSON.parse(readFileSync(join(dirname(CATALOG_FILE), 'catalog.schema.json'), 'utf8')) as AnySchema;
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: true, strictRequired: false }).compile(
    schema,
  );
  const file = JSON.parse(readFileSync(CATALOG_FILE, 'utf8')) as { images: Record<string, unknown>[] };

  it('keeps to its schema', () => {
    assert.ok(validate(file), JSON.stringify(validate.errors, null, 2));
  });

  it('would be caught by the schema for each kind of slip', () => {
    const slips: Record<string, unknown>[] = [
      { name: 'Two Words' },
      { url: 'http://host/plain.bin' },
      { url: 'https://host/x.bin.gz' },
      { sha256: 'ABCD' },
      { sha256: null, digestSource: 'somebody' },
      { sha256: '0'.repeat(64), digestSource: null },
      { size: '482432' },
      { roads: [] },
      { roads: ['serial'] },
      { flashMode: 'dout' },
      { licence: undefined },
      { colour: 'green' },
      { mirrorSha256: 'ABCD', sha256: null, digestSource: null },
      { mirrorSha256: '0'.repeat(64) },
      { recommended: false },
    ];
    for (const slip of slips) {
      const images = JSON.parse(JSON.stringify([{ ...file.images[0], ...slip }])) as unknown[];
      assert.ok(!validate({ ...file, images }), `the schema takes ${JSON.stringify(slip)}`);
    }
  });

  it('names each image once', () => {
    const names = catalog.images.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  it('has the pair of SonOTA with its digests', () => {
    const { user1, user2 } = catalog.pair;
    assert.deepEqual([user1.size, user2.size], [239220, 239220]);
    assert.match(user1.sha256 ?? '', /^64b374598d11f91a/);
    assert.match(user2.sha256 ?? '', /^fec3fc4f70cf1a95/);
    assert.deepEqual([user1.roads, user2.roads], [['cloud-user1'], ['cloud-user2']]);
  });

  it('has only images that fit their roads', () => {
    for (const { name, size, flashMode, roads } of catalog.images) {
      const isUser = roads.some((road) => road.startsWith('cloud-'));
      assert.ok((size ?? 0) <= (isUser ? USER_LIMIT : FINAL_LIMIT), `${name} is too large`);
      if (!isUser) assert.notEqual(['QIO', 'QOUT', 'DIO'].includes(flashMode ?? ''), true, `${name} is ${flashMode}`);
    }
  });

  it('recommends one image, for every road of a final image, whose digest is known', () => {
    const recommended = catalog.images.filter((image) => image.recommended);
    assert.deepEqual(
      recommended.map(({ roads }) => roads),
      [['finalstage', 'diy']],
    );
    assert.match(catalog.recommended?.sha256 ?? '', /^[\da-f]{64}$/);
  });

  it('finds by digest what came under another name', () => {
    const known = catalog.find('sonota-tasmota-5.9.1');
    assert.ok(known?.sha256);
    assert.equal(catalog.withDigest(known.sha256), known);
    assert.equal(catalog.withDigest('0'.repeat(64)), undefined);
  });

  it('compares a file with a mirror only where the digest is not known, and its size where one is', () => {
    const known = catalog.images[0] as CatalogImage;
    const file = { sha256: 'f'.repeat(64), size: 5000 };
    const { sha256 } = file;
    assert.deepEqual(hintsOf({ ...known, sha256, size: 5000, mirrorSha256: '0'.repeat(64) }, file), {});
    const unknown = { ...known, sha256: null, size: null };
    assert.deepEqual(hintsOf(unknown, file), {});
    assert.deepEqual(hintsOf({ ...unknown, mirrorSha256: sha256 }, file), { mirror: 'same' });
    const other = { ...unknown, mirrorSha256: '0'.repeat(64), size: 4999 };
    assert.deepEqual(hintsOf(other, file), { mirror: 'different', expectedSize: 4999 });
  });

  it('finds by name, whatever its case', () => {
    const known = catalog.images[0] as CatalogImage;
    assert.equal(catalog.find(known.name.toUpperCase()), known);
    assert.equal(catalog.find('tasmota-minimal'), undefined);
  });
});
