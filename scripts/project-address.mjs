/**
 * Where this project lives. **There is no public address yet**: `.invalid` has no owner and leads nowhere. Write the
 * address of the repository here, then `npm run build && node scripts/readme.mjs`: package.json, README and the helps of
 * the nodes take it from here, and `test/package/address.test.ts` finds a place that does not.
 */
export const PROJECT_ADDRESS = 'https://repository.invalid/sonota-node-red';

/** A file of the repository as a page to read. @param {string} path with its anchor, such as `docs/codes.md#cancelled` */
export function pageAddress(path) {
  return `${PROJECT_ADDRESS}/blob/main/${path}`;
}

/** A file of the repository as it is, for pictures. */
export function fileAddress(path) {
  return `${PROJECT_ADDRESS}/raw/main/${path}`;
}

/** What package.json says of it. */
export const MANIFEST = {
  repository: { type: 'git', url: `git+${PROJECT_ADDRESS}.git` },
  homepage: `${PROJECT_ADDRESS}#readme`,
  bugs: { url: `${PROJECT_ADDRESS}/issues` },
};

const LINK = /(?:\]\(|src="|^\[[^\]]+\]: )([^)"\s]+)/gm;
const ABSOLUTE = /^https?:\/\/[^\s]+?\/(?:blob|raw)\/main\//;
const PICTURE = /\.(png|svg|gif)$/;

/**
 * A page that is read outside of the repository, with its links to files of the repository made absolute: on npm and in
 * Node-RED's catalogue a relative one leads nowhere.
 *
 * @param {string} page Markdown
 * @param {(path: string) => boolean} isOurs whether the repository has such a file
 */
export function withAbsoluteLinks(page, isOurs) {
  return page.replace(LINK, (whole, target) => {
    const path = target.replace(ABSOLUTE, '');
    if (!isOurs(path.replace(/#.*$/, ''))) return whole;
    return whole.replace(target, PICTURE.test(path) ? fileAddress(path) : pageAddress(path));
  });
}
