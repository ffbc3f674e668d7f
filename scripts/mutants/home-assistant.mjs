/** What is published to Home Assistant, and what is kept of it. */
export default [
  {
    file: 'lib/storage/following-file.ts',
    find: 'if (!this.isAhead) this.newest = this.write(place, this.newest);',
    replace: 'this.newest ??= this.write(place, undefined);',
    tests: ['nodes/home-assistant', 'storage/following-file'],
    why: 'only the first change reaches the disk',
  },
  {
    file: 'lib/storage/following-file.ts',
    find: 'await this.writeNow(place, this.content());',
    replace: 'if (!this.hasFailed) await this.writeNow(place, this.content());',
    tests: ['nodes/home-assistant', 'storage/following-file'],
    why: 'after a write that failed, nothing is written any more',
  },
];
