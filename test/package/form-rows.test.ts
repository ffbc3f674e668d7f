import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../shared/package-root';

describe('the rows of a form', () => {
  let withRows: (form: string, type: string) => string;

  before(async () => {
    const script = pathToFileURL(join(packageRoot(), 'scripts', 'form-rows.mjs')).href;
    ({ withRows } = (await import(script)) as { withRows: typeof withRows });
  });

  /** As one line, with no space between tags. */
  const made = (form: string): string => withRows(form, 'x').replace(/\s+/g, ' ').replaceAll('> <', '><');

  it('are those of Node-RED, with the label of their first field', () => {
    assert.equal(
      made(
        '<form-row icon="tag" label="url" class="often" style="color: red">\n <input id="a" /><b id="c"></b>\n</form-row>',
      ),
      '<div class="form-row often" style="color: red"><label for="a"><i class="fa fa-tag"></i>' +
        '<span data-i18n="x.label.url"></span></label><input id="a" /><b id="c"></b></div>',
    );
  });

  it('have a text of another catalogue, and no icon, where they say so', () => {
    assert.equal(
      made('<form-row label="node-red:common.label.name"><input id="a" /></form-row>'),
      '<div class="form-row"><label for="a"><span data-i18n="node-red:common.label.name"></span></label><input id="a" /></div>',
    );
  });

  it('have a checkbox with words behind it', () => {
    const row = made('<form-row icon="tag" label="force"><form-check id="a" label="more" /></form-row>');
    assert.match(row, /^<div class="form-row"><label for="a">.*x\.label\.force.*<\/label><label for="a"/);
    assert.match(
      row,
      /<input type="checkbox" id="a" [^>]+\/><span data-i18n="x\.label\.more"><\/span><\/label><\/div>$/,
    );
  });

  it('end the build where they have no field, or their tag is not whole', () => {
    assert.throws(() => made('<form-row icon="tag" label="force"><b></b></form-row>'), /the row force has no field/);
    assert.throws(
      () => made('<form-row label="url"><input id="a" />'),
      /the form of x has a tag that is not whole: <form-row/,
    );
  });
});
